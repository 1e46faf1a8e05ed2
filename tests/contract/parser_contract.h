// What every protocol parser must stand: the same conversation fed whole, byte by byte, cut at
// every place, with a hole, cut off at every place, gives the same transactions (or at least sane
// ones). A protocol's test names its table and a conversation:
//
//   using namespace vong::applayer::contract;
//   Conversation c{&kDnsProtocol};
//   c.client("...").server("...");
//   EXPECT_EQ(run(c).records(), "...");     // or look at Outcome::transactions
//   check_contract(c);
//
// The runner stands where driver and reassembly stand: what a parser leaves comes again with more
// behind it, and `needed` is kept.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/settings.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::applayer::contract {

struct Step {
  Direction direction = Direction::kToServer;
  std::string bytes;
};

struct Conversation {
  explicit Conversation(const ProtocolDef* d, Settings s = {}) : def(d), settings(std::move(s)) {}

  Conversation& client(std::string_view bytes) { return say(Direction::kToServer, bytes); }
  Conversation& server(std::string_view bytes) { return say(Direction::kToClient, bytes); }
  Conversation& say(Direction d, std::string_view bytes) {
    steps.push_back({d, std::string(bytes)});
    return *this;
  }
  // Every step is a message of its own (UDP): never cut or joined by the suite, only cut off.
  Conversation& datagrams() {
    is_datagrams = true;
    return *this;
  }

  const ProtocolDef* def;
  Settings settings;
  std::vector<Step> steps;
  bool is_datagrams = false;
  uint16_t sport = 40000, dport = 1;
};

// One transaction as text: events, buffers, numbers, records, files. Two transactions are the same
// when their texts are.
inline std::string describe(const ProtocolDef& def, Transaction& tx) {
  std::string out = "tx " + std::to_string(tx.id) + "\n";
  for (const EventId e : tx.events()) {
    out.append(" event ")
        .append(e < def.events.size() ? def.events[e].rule_name : "?")
        .append("\n");
  }
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    const auto way = static_cast<size_t>(index(d));
    const char* name = d == Direction::kToServer ? ">" : "<";
    out.append(" progress ").append(name).append(std::to_string(tx.progress[way])).append("\n");
    for (const BufferDef& b : def.buffers) {
      const uint8_t from = d == Direction::kToServer ? b.to_server_progress : b.to_client_progress;
      if (from == BufferDef::kNotHere || tx.progress[way] < from || b.get == nullptr) continue;
      for (uint32_t i = 0; i == 0 || b.multi; ++i) {
        std::string scratch;
        const BufferView v = b.get(tx, d, i, scratch);
        if (!v.present) break;
        out.append(" ").append(name).append(b.name).append("=");
        JsonWriter(out).string(v.data);
        out.append(v.offset != 0 ? "@" + std::to_string(v.offset) : "").append("\n");
        if (i >= 10'000) {
          ADD_FAILURE() << b.name << " has no end";
          break;
        }
      }
    }
    for (const NumberDef& n : def.numbers) {
      const uint8_t from = d == Direction::kToServer ? n.to_server_progress : n.to_client_progress;
      if (from == BufferDef::kNotHere || tx.progress[way] < from || n.get == nullptr) continue;
      for (uint32_t i = 0; i == 0 || n.multi; ++i) {
        const auto value = n.get(tx, d, i);
        if (!value) break;
        out.append(" ")
            .append(name)
            .append(n.name)
            .append("=")
            .append(std::to_string(*value))
            .append("\n");
      }
    }
    if (FileContainer* files = tx.files(d)) {
      for (const File& f : files->files()) {
        out.append(" ")
            .append(name)
            .append("file ")
            .append(std::to_string(static_cast<int>(f.state)))
            .append(" ");
        out.append(std::to_string(f.size)).append(f.gaps ? " gaps " : " ");
        JsonWriter(out).string(f.name);
        out.append("\n");
      }
    }
  }
  for (const LoggerDef& l : def.loggers) {
    if (l.log == nullptr) continue;
    std::string json;
    JsonWriter w(json);
    LogContext context;
    context.record = l.event_type;
    context.direction = l.direction;
    w.open_object();
    static_cast<void>(l.log(tx, context, w));
    w.close_object();
    out.append(" log ").append(l.event_type).append(" ").append(json).append("\n");
  }
  if (def.alert_record != nullptr) {
    std::string json;
    JsonWriter w(json);
    w.open_object();
    static_cast<void>(def.alert_record(tx, LogContext{}, w));
    w.close_object();
    out.append(" alert ").append(json).append("\n");
  }
  return out;
}

struct Outcome {
  std::unique_ptr<Parser> parser;
  std::shared_ptr<const void> config;  // outlives the parser's use of it
  bool failed = false;
  bool upgraded = false;
  AppProto next = AppProto::kUnknown;
  size_t bytes_presented = 0;  // work: a byte that comes twice counts twice
  size_t calls = 0;
  std::string records_text;

  [[nodiscard]] const std::string& records() const { return records_text; }
  [[nodiscard]] auto& transactions() const { return parser->transactions; }
};

// Feeds one direction as reassembly does.
class Feeder {
 public:
  Feeder(Outcome& o, const Conversation& c) : out_(o), conversation_(c) {}

  void bytes(Direction d, std::string_view text, bool end = false) {
    Side& s = side(d);
    if (s.done || out_.failed || out_.upgraded) return;
    s.pending.append(text);
    if (s.pending.empty() && !end) return;
    if (s.pending.size() < s.needed && !end) return;
    Input in;
    in.data = as_bytes(s.pending);
    in.offset = s.offset;
    in.end = end;
    in.datagram = conversation_.is_datagrams;
    in.packet_number = ++packets_;
    in.ts = timestamp_from_ns(1'700'000'000'000'000'000 + static_cast<int64_t>(packets_));
    in.sport = conversation_.sport;
    in.dport = conversation_.dport;
    ++out_.calls;
    out_.bytes_presented += s.pending.size();
    // A heap block of exactly this size: the sanitizers see every read past its end.
    const std::vector<uint8_t> exact(in.data.begin(), in.data.end());
    in.data = exact;
    const ParseResult r = out_.parser->parse(d, in);
    ASSERT_LE(r.consumed, exact.size());
    s.pending.erase(0, r.consumed);
    s.offset += r.consumed;
    s.needed = r.needed;
    switch (r.status) {
      case ParseResult::Status::kOk:
        if (conversation_.is_datagrams) s.pending.clear();
        break;
      case ParseResult::Status::kError:
        out_.failed = true;
        break;
      case ParseResult::Status::kDone:
        s.done = true;
        break;
      case ParseResult::Status::kUpgrade:
        out_.upgraded = true;
        out_.next = r.next;
        break;
    }
  }
  void gap(Direction d, size_t size) {
    Side& s = side(d);
    if (s.done || out_.failed || out_.upgraded) return;
    s.offset += s.pending.size() + size;
    s.pending.clear();
    s.needed = 0;
    if (!out_.parser->gap(d, size)) out_.failed = true;
  }

 private:
  struct Side {
    std::string pending;
    uint64_t offset = 0;
    size_t needed = 0;
    bool done = false;
  };
  Side& side(Direction d) { return sides_[static_cast<size_t>(index(d))]; }

  Outcome& out_;
  const Conversation& conversation_;
  Side sides_[kDirections];
  uint64_t packets_ = 0;
};

// Runs a conversation; `feed` gives each step to the feeder in its own way. Both directions are
// ended, then the flow.
inline Outcome run_with(const Conversation& c,
                        const std::function<void(Feeder&, const Step&, size_t)>& feed) {
  Outcome o;
  if (c.def->configure != nullptr) o.config = c.def->configure(c.settings);
  o.parser = c.def->make(o.config.get());
  Feeder feeder(o, c);
  for (size_t i = 0; i < c.steps.size(); ++i) feed(feeder, c.steps[i], i);
  if (!c.is_datagrams) {
    feeder.bytes(Direction::kToServer, "", true);
    feeder.bytes(Direction::kToClient, "", true);
  }
  o.parser->end();
  for (const auto& tx : o.parser->transactions) o.records_text += describe(*c.def, *tx);
  return o;
}

inline Outcome run(const Conversation& c) {
  return run_with(c, [](Feeder& f, const Step& s, size_t) { f.bytes(s.direction, s.bytes); });
}

inline Outcome run_in_pieces(const Conversation& c, size_t piece) {
  return run_with(c, [&](Feeder& f, const Step& s, size_t) {
    for (size_t at = 0; at < s.bytes.size(); at += piece)
      f.bytes(s.direction, std::string_view(s.bytes).substr(at, piece));
  });
}

struct ContractOptions {
  size_t transactions_max = 2048;  // more open at once breaks the contract
  size_t cuts_max = 3000;          // cut places tried per step; beyond it they are spread evenly
};

// Cutting must not change anything.
inline void check_splits(const Conversation& c, const ContractOptions& options = {}) {
  if (c.is_datagrams) return;
  const std::string whole = run(c).records();
  for (const size_t piece :
       {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{64}, size_t{1460}}) {
    EXPECT_EQ(run_in_pieces(c, piece).records(), whole) << "in pieces of " << piece;
  }
  for (size_t step = 0; step < c.steps.size(); ++step) {
    const size_t size = c.steps[step].bytes.size();
    const size_t stride = std::max<size_t>(1, size / options.cuts_max);
    for (size_t cut = 1; cut < size; cut += stride) {
      const Outcome o = run_with(c, [&](Feeder& f, const Step& s, size_t i) {
        if (i != step) return f.bytes(s.direction, s.bytes);
        f.bytes(s.direction, std::string_view(s.bytes).substr(0, cut));
        f.bytes(s.direction, std::string_view(s.bytes).substr(cut));
      });
      ASSERT_EQ(o.records(), whole) << "step " << step << " cut at " << cut;
    }
  }
}

// Holes and early ends: no crash, bounded state, and the transactions before the damage are still
// there.
inline void check_damage(const Conversation& c, const ContractOptions& options = {}) {
  for (size_t step = 0; step < c.steps.size(); ++step) {
    const size_t size = c.steps[step].bytes.size();
    const size_t stride = std::max<size_t>(1, size / options.cuts_max);
    for (size_t cut = 0; cut < size; cut += stride) {
      // The stream ends here.
      const Outcome ended = run_with(c, [&](Feeder& f, const Step& s, size_t i) {
        if (i < step) return f.bytes(s.direction, s.bytes);
        if (i == step) f.bytes(s.direction, std::string_view(s.bytes).substr(0, cut));
      });
      ASSERT_LE(ended.transactions().size(), options.transactions_max);
      if (c.is_datagrams) continue;
      // A hole of one byte, and one to the step's end.
      for (const size_t hole : {size_t{1}, size - cut}) {
        const Outcome o = run_with(c, [&](Feeder& f, const Step& s, size_t i) {
          if (i != step) return f.bytes(s.direction, s.bytes);
          if (cut > 0) f.bytes(s.direction, std::string_view(s.bytes).substr(0, cut));
          f.gap(s.direction, hole);
          f.bytes(s.direction, std::string_view(s.bytes).substr(std::min(cut + hole, size)));
        });
        ASSERT_LE(o.transactions().size(), options.transactions_max);
      }
    }
  }
}

// The conversation n times over, then 2n, 4n: open transactions stay under the cap, and the bytes
// presented grow with the input.
inline void check_limits(const Conversation& c, const ContractOptions& options = {}) {
  size_t presented[3] = {};
  for (int round = 0; round < 3; ++round) {
    Conversation many = c;
    many.steps.clear();
    for (int i = 0; i < 64 << round; ++i)
      many.steps.insert(many.steps.end(), c.steps.begin(), c.steps.end());
    const Outcome o = c.is_datagrams ? run(many) : run_in_pieces(many, 100);
    EXPECT_LE(o.transactions().size(), options.transactions_max);
    presented[round] = o.bytes_presented;
  }
  EXPECT_LE(presented[1], presented[0] * 3) << "work must grow with the input, not faster";
  EXPECT_LE(presented[2], presented[1] * 3) << "work must grow with the input, not faster";
}

inline void check_contract(const Conversation& c, const ContractOptions& options = {}) {
  check_splits(c, options);
  check_damage(c, options);
  check_limits(c, options);
}

}  // namespace vong::applayer::contract
