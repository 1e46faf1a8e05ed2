// One way to fuzz every application parser with all that its table names: parser, buffers, numbers,
// records.
//
// Input: first byte: bit 0 datagrams instead of streams. Then a list of steps: a byte of kind (bit
// 0 direction, bits 1-2: 3 is a gap, 2 is the end of the direction, else data), two bytes of
// length, that many bytes.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/byte_reader.h"
#include "base/json_writer.h"
#include "base/settings.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::fuzz {

class ParserRun {
 public:
  explicit ParserRun(const applayer::ProtocolDef& def) : def_(def) {
    if (def.configure != nullptr) config_ = def.configure(settings_);
    parser_ = def.make(config_.get());
  }

  void run(Bytes input) {
    ByteReader in(input);
    datagram_ = (in.u8() & 1) != 0;
    while (!in.empty()) {
      const uint8_t kind = in.u8();
      const size_t size = in.u16();
      const Bytes data = in.bytes(std::min(size, in.remaining()));
      step(kind, data, size);
    }
    parser_->end();
    look_at_all(true);
    if (sum_ == UINT64_MAX) std::abort();  // keeps the reads of buffers alive
  }

 private:
  void step(uint8_t kind, Bytes data, size_t size) {
    const auto d = (kind & 1) != 0 ? Direction::kToClient : Direction::kToServer;
    if (over_[index(d)]) return;
    if (data.size() >= def_.probe.min_bytes) {
      if (def_.probe.probe != nullptr) (void)def_.probe.probe(d, data);
      if (def_.probe.datagram_probe != nullptr) (void)def_.probe.datagram_probe(d, data);
    }
    if (def_.probe.when_expected != nullptr) (void)def_.probe.when_expected(d, data);
    if (datagram_) {
      applayer::Input in;
      in.data = data;
      in.datagram = true;
      take(d, parser_->parse(d, in), data.size());
    } else if ((kind >> 1 & 3) == 3) {
      pending_[index(d)].clear();
      offset_[index(d)] += size;
      if (!parser_->gap(d, size)) over_ = {true, true};
    } else {
      pending_[index(d)].append(as_text(data));
      feed(d, (kind >> 1 & 3) == 2);
    }
    look_at_all();
  }

  void feed(Direction d, bool end) {
    std::string& bytes = pending_[index(d)];
    while (!over_[index(d)]) {
      applayer::Input in;
      in.data = as_bytes(bytes);
      in.offset = offset_[index(d)];
      in.end = end;
      const auto result = parser_->parse(d, in);
      take(d, result, bytes.size());
      offset_[index(d)] += result.consumed;
      bytes.erase(0, result.consumed);
      if (result.consumed == 0 || bytes.empty()) break;
    }
    if (end) over_[index(d)] = true;
  }

  void take(Direction d, const applayer::ParseResult& result, size_t size) {
    if (result.consumed > size) std::abort();  // a parser took more than it was given
    using Status = applayer::ParseResult::Status;
    if (result.status == Status::kError || result.status == Status::kUpgrade) over_ = {true, true};
    if (result.status == Status::kDone) over_[index(d)] = true;
  }

  void look_at_all(bool last = false) {
    std::string scratch, json;
    for (const auto& tx : parser_->transactions) {
      // As the driver: what nothing has changed is not looked at again, or work is quadratic here.
      if (!tx->updated[0] && !tx->updated[1] && !last) continue;
      tx->updated = {false, false};
      for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
        for (const auto& b : def_.buffers) {
          for (uint32_t i = 0; i < 20000; ++i) {
            scratch.clear();
            const auto view = b.get(*tx, d, i, scratch);
            if (!view.present || !b.multi) break;
            sum_ +=
                view.data.size() + (view.data.empty() ? 0 : view.data.front() + view.data.back());
          }
        }
        for (const auto& n : def_.numbers)
          sum_ += n.get(*tx, d, 0).value_or(0) + n.get(*tx, d, 1).value_or(0);
        JsonWriter out(json);
        for (const auto& l : def_.loggers) {
          out.open_object();
          (void)l.log(*tx, {l.event_type, &settings_, d}, out);
          out.close_object();
        }
        if (def_.alert_record != nullptr) {
          out.open_object();
          (void)def_.alert_record(*tx, {"alert", &settings_, d}, out);
          out.close_object();
        }
        json.clear();
      }
    }
    // Like the driver: what is complete and was seen goes, so that work stays linear in the input.
    if (parser_->transactions.size() > 64) {
      erase_if(parser_->transactions, [&](const auto& tx) {
        return tx->progress[0] >= def_.complete[0] && tx->progress[1] >= def_.complete[1];
      });
    }
  }

  const applayer::ProtocolDef& def_;
  Settings settings_;
  std::shared_ptr<const void> config_;
  std::unique_ptr<applayer::Parser> parser_;
  bool datagram_ = false;
  std::array<bool, 2> over_{};
  std::array<uint64_t, 2> offset_{};
  std::array<std::string, 2> pending_;
  uint64_t sum_ = 0;
};

inline int fuzz_parser(const applayer::ProtocolDef& def, const uint8_t* data, size_t size) {
  ParserRun(def).run({data, size});
  return 0;
}

}  // namespace vong::fuzz
