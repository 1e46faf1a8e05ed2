#include "sensor/applayer/core/driver.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sensor/applayer/core/driver_config.h"
#include "sensor/applayer/core/expectation.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/limits.h"
#include "sensor/flow/exception.h"
#include "sensor/flow/raw_stream.h"
#include "sensor/reassembly/stream_consumer.h"

namespace vong::applayer {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(DriverEvent::kCount)> kEventNames = {
    "applayer_mismatch_protocol_both_directions",
    "applayer_wrong_direction_first_data",
    "applayer_detect_protocol_only_one_direction",
    "applayer_proto_detection_skipped",
    "applayer_no_tls_after_starttls",
    "applayer_unexpected_protocol",
};

void raise(FlowAppState& s, DriverEvent e) { s.driver_events |= 1U << static_cast<unsigned>(e); }

bool known(AppProto p) { return p != AppProto::kUnknown && p != AppProto::kFailed; }

// The stream will end before its end: files that are open end here, truncated, as the reference has them.
void truncate_files(Parser& parser, Direction d) {
  for (const auto& tx : parser.transactions) {
    if (FileContainer* files = tx->files(d); files != nullptr && files->has_open()) files->close(FileState::kTruncated);
  }
}

bool files_logged(Transaction& tx) {
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    FileContainer* files = tx.files(d);
    if (files == nullptr) continue;
    if (!std::ranges::all_of(files->files(), [](const File& f) { return f.logged; })) return false;
  }
  return true;
}

}  // namespace

std::string_view name_of(DriverEvent e) { return kEventNames[static_cast<size_t>(e)]; }

struct Driver::Impl {
  std::shared_ptr<const DriverConfig> config;
  DriverCounters counters;
  ExpectationTable expectations;

  FlowAppState& state_of(flow::Flow& f) {
    if (FlowAppState* s = app_state(f)) return *s;
    f.set_slot(flow::FlowSlot::kAppLayer, std::make_unique<FlowAppState>());
    return *app_state(f);
  }
  ProtocolCounters& counted(bool tcp, AppProto p) {
    return (tcp ? counters.tcp : counters.udp)[static_cast<size_t>(p)];
  }

  [[nodiscard]] std::unique_ptr<Parser> make_parser(const ProtocolDef& def, bool tcp) const;
  void apply_error_policy(flow::Flow& f, Packet& p);
  void adopt(FlowAppState& s, AppProto proto, bool tcp);
  void give_up(FlowAppState& s);
  void finish_parser(FlowAppState& s);
  void begin_upgrade(FlowAppState& s);
  void end_upgrade_attempt(FlowAppState& s, AppProto found);
  void rename(FlowAppState& s);
  [[nodiscard]] AppProto ask_expected(const FlowAppState& s, Direction d, const Input& in) const;
  [[nodiscard]] bool detect(FlowAppState& s, const flow::Flow& f, Direction& d, const Input& in,
                            bool tcp);
  [[nodiscard]] bool found(FlowAppState& s, Direction d, AppProto proto, bool tcp);
  [[nodiscard]] bool not_found(FlowAppState& s, const flow::Flow& f, Direction d, bool tcp);
  size_t feed(FlowAppState& s, Direction d, const Input& in, bool tcp);
  void count_transactions(FlowAppState& s, bool tcp);
  void announce(const flow::Flow& f, FlowAppState& s, Timestamp now);
  void adopt_expected(const flow::Flow& f, FlowAppState& s, Timestamp now);
  [[nodiscard]] bool completed(FlowAppState& s, Direction d) const;
  void drop_parser_at_end(const flow::Flow& f, FlowAppState& s);
};

// Flows that the parser has announced are waited for from now on.
void Driver::Impl::announce(const flow::Flow& f, FlowAppState& s, Timestamp now) {
  if (s.parser == nullptr || s.parser->expected_flows.empty()) return;
  for (ExpectedFlow& e : s.parser->expected_flows)
    expectations.add(f.key.src, f.key.dst, std::move(e), now, f.id);
  s.parser->expected_flows.clear();
}

// A flow that was announced needs no detection: what it speaks is known before its first byte.
void Driver::Impl::adopt_expected(const flow::Flow& f, FlowAppState& s, Timestamp now) {
  if (expectations.empty() || s.first_data_seen || s.proto != AppProto::kUnknown) return;
  uint64_t by = 0;
  const auto expected = expectations.take(f.key.src, f.key.dst, f.key.dport, now, &by);
  if (!expected) return;
  s.parent_flow = by;
  adopt(s, expected->proto, true);
  s.proto_of = {expected->proto, expected->proto};
  for (DetectionState& each : s.detection) each.completed = true;
  if (s.parser != nullptr) s.parser->expected_as(expected->data);
}

std::unique_ptr<Parser> Driver::Impl::make_parser(const ProtocolDef& def, bool tcp) const {
  auto parser = def.make(config->object(def.id));
  if (!config->frames()) return parser;
  parser->frames = std::make_unique<FrameSet>();
  parser->frames->logging = config->frame_records();
  if (tcp) {
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
      if (Frame* all = parser->frames->add(d, kStreamFrame, 0, kUnknownLength)) all->logged = true;
    }
  }
  return parser;
}

// The parser has given up.
void Driver::Impl::apply_error_policy(flow::Flow& f, Packet& p) {
  flow::apply_exception(f, p, ExceptionTarget::kAppLayerError, config->error_policy(), counters.exception_error);
}

// The flow speaks `proto` from here on.
void Driver::Impl::adopt(FlowAppState& s, AppProto proto, bool tcp) {
  if (s.upgrade_pending) end_upgrade_attempt(s, proto);
  s.proto = proto;
  if (s.parser != nullptr || s.def != nullptr) return;
  s.def = config->def(proto);
  ++counted(tcp, proto).flows;
  if (s.def == nullptr || s.def->make == nullptr || config->mode(proto, tcp) != ProtocolMode::kOn) {
    s.finished = {true, true};
    return;
  }
  s.parser = make_parser(*s.def, tcp);
}

void Driver::Impl::give_up(FlowAppState& s) {
  if (s.upgrade_pending) end_upgrade_attempt(s, AppProto::kFailed);
  if (s.proto == AppProto::kUnknown) s.proto = AppProto::kFailed;
  for (AppProto& p : s.proto_of) {
    if (p == AppProto::kUnknown) p = AppProto::kFailed;
  }
  s.finished = {true, true};
}

void Driver::Impl::finish_parser(FlowAppState& s) {
  if (s.parser == nullptr || s.ended) return;
  s.ended = true;
  s.parser->end();
}

// The old parser has logged what it had; detection starts anew with the bytes that come now.
void Driver::Impl::begin_upgrade(FlowAppState& s) {
  s.detection = {};
  s.proto_of = {};
  s.needed = {};
  s.parser_fed = false;
}

// `found`: what the new bytes are. The parser of the old protocol goes; the new one may look at it.
void Driver::Impl::end_upgrade_attempt(FlowAppState& s, AppProto found_proto) {
  s.upgrade_pending = false;
  s.proto_original = s.proto;
  if (s.proto_expected == AppProto::kTls && found_proto != AppProto::kTls &&
      found_proto != s.proto_original) {
    raise(s,
          known(found_proto) ? DriverEvent::kUnexpectedProtocol : DriverEvent::kNoTlsAfterStarttls);
  } else if (known(s.proto_expected) && known(found_proto) && found_proto != s.proto_expected) {
    raise(s, DriverEvent::kUnexpectedProtocol);
  }
  const std::unique_ptr<Parser> old = std::move(s.parser);
  s.def = nullptr;
  s.finished = {};
  s.ended = false;
  s.ends_told = 0;
  s.transactions_counted = 0;
  if (!known(found_proto)) {
    s.finished = {true, true};
    return;
  }
  s.def = config->def(found_proto);
  ++counted(true, found_proto).flows;
  if (s.def == nullptr || s.def->make == nullptr ||
      config->mode(found_proto, true) != ProtocolMode::kOn) {
    s.finished = {true, true};
    return;
  }
  s.parser = make_parser(*s.def, true);
  if (old != nullptr) s.parser->upgraded_from(*old, s.proto_original);
}

// The parser has found out that the flow carries something with a name and table of its own.
void Driver::Impl::rename(FlowAppState& s) {
  const ProtocolDef* def = config->def(s.parser->speaks);
  if (def == nullptr || def == s.def) return;
  s.proto_original = s.proto;
  s.proto = s.parser->speaks;
  s.proto_of = {s.proto, s.proto};
  s.def = def;
}

// True: `d` may be fed now.
bool Driver::Impl::found(FlowAppState& s, Direction d, AppProto proto, bool tcp) {
  const AppProto other = s.proto_of[static_cast<size_t>(index(opposite(d)))];
  s.proto_of[static_cast<size_t>(index(d))] = proto;
  s.detection[static_cast<size_t>(index(d))].completed = true;
  if (!known(other)) {
    adopt(s, proto, tcp);
    s.detection[static_cast<size_t>(index(opposite(d)))].probes_done = false;
    s.detection[static_cast<size_t>(index(opposite(d)))].probes_refused = 0;
    return true;
  }
  if (other != proto) {
    // The one that was there first has the parser already: it stays.
    raise(s, DriverEvent::kMismatchProtocolBothDirections);
  }
  return true;
}

bool Driver::Impl::not_found(FlowAppState& s, const flow::Flow& f, Direction d, bool tcp) {
  DetectionState& here = s.detection[static_cast<size_t>(index(d))];
  const DetectionState& there = s.detection[static_cast<size_t>(index(opposite(d)))];
  const AppProto other = s.proto_of[static_cast<size_t>(index(opposite(d)))];
  const bool done_here = here.patterns_done && here.probes_done;
  const bool done_there = there.patterns_done && there.probes_done;
  if (known(other)) {
    if (!done_here) return false;
    const ProtocolDef* def = config->def(other);
    if (def == nullptr || !def->probe.one_side_tells) raise(s, DriverEvent::kDetectProtocolOnlyOneDirection);
    s.proto_of[static_cast<size_t>(index(d))] = other;
    here.completed = true;
    return true;
  }
  if (!tcp) {
    if (done_here && done_there) give_up(s);
    return false;
  }
  const DetectionState& to_server = s.detection[0];
  const DetectionState& to_client = s.detection[1];
  // Midstream: a beginning that was not seen cannot be told from a request cut in half, so the
  // client's side must be found.
  if (f.midstream && to_server.patterns_done && to_server.probes_done) return give_up(s), false;
  if (done_here && done_there) return give_up(s), false;
  const bool much =
      to_server.bytes_seen > kDetectionBytesMax || to_client.bytes_seen > kDetectionBytesMax;
  if (much) {
    raise(s, DriverEvent::kProtoDetectionSkipped);
    give_up(s);
  }
  return false;
}

// Is it what an upgrade announced, or what the other side speaks? kUnknown: no, or nothing is known;
// kFailed: more bytes will tell.
AppProto Driver::Impl::ask_expected(const FlowAppState& s, Direction d, const Input& in) const {
  const AppProto other = s.proto_of[static_cast<size_t>(index(opposite(d)))];
  const AppProto expected = known(other) ? other : s.upgrade_pending || s.proto == s.proto_expected ? s.proto_expected : AppProto::kUnknown;
  if (!known(expected)) return AppProto::kUnknown;
  const ProtocolDef* def = config->def(expected);
  if (def == nullptr || def->probe.when_expected == nullptr ||
      config->mode(def->id, true) == ProtocolMode::kOff)
    return AppProto::kUnknown;
  const ProbeVerdict v = def->probe.when_expected(d, in.data);
  if (v == ProbeVerdict::kMoreData && !in.end && in.data.size() <= kDetectionBytesMax)
    return AppProto::kFailed;
  return v == ProbeVerdict::kYes ? def->id : AppProto::kUnknown;
}

bool Driver::Impl::detect(FlowAppState& s, const flow::Flow& f, Direction& d, const Input& in,
                          bool tcp) {
  ++counters.detection_calls;
  DetectionState& here = s.detection[static_cast<size_t>(index(d))];
  here.bytes_seen = std::max(here.bytes_seen, static_cast<uint32_t>(std::min<size_t>(in.data.size(), UINT32_MAX)));
  if (!s.first_data_seen) {
    s.first_data_seen = true;
    // Who spoke first is told by the bytes' arrival, not by whose were acknowledged first.
    const flow::RawStream* stream = tcp ? flow::raw_stream(f) : nullptr;
    const Direction arrived = s.reverse_wanted ? opposite(d) : d;
    s.first_data = stream != nullptr && stream->spoke_first(opposite(arrived)) ? opposite(d) : d;
  }
  const bool other_known = known(s.proto_of[static_cast<size_t>(index(opposite(d)))]);
  const bool may_reverse = tcp && f.midstream && !other_known;
  Detector::Verdict v;
  if (tcp) v.proto = ask_expected(s, d, in);
  if (v.proto == AppProto::kFailed) return false;
  if (!known(v.proto)) {
    v = config->detector().detect(tcp, d, in.data, {f.key.sport, f.key.dport}, may_reverse, here);
  }
  // A datagram that goes the wrong way (an answer without its question) says what a flow speaks only when flows may be met midway.
  if (v.reversed && !tcp && !config->midstream()) v = {};
  if (!known(v.proto)) return not_found(s, f, d, tcp);
  // A flow whose handshake was seen has its endpoints right, whatever a probe thinks.
  if (v.reversed && !other_known && (!tcp || f.midstream)) {
    s.reverse_wanted = !s.reverse_wanted;
    std::swap(s.detection[0], s.detection[1]);
    std::swap(s.proto_of[0], s.proto_of[1]);
    s.first_data = opposite(s.first_data);
    d = opposite(d);
  }
  return found(s, d, v.proto, tcp);
}

void Driver::Impl::count_transactions(FlowAppState& s, bool tcp) {
  if (s.parser->transactions_made == s.transactions_counted) return;
  counted(tcp, s.proto).transactions += s.parser->transactions_made - s.transactions_counted;
  s.transactions_counted = s.parser->transactions_made;
}

// Whether a transaction became complete in this direction since the last question. Looks at the newest few: older ones were asked when
// they were new.
bool Driver::Impl::completed(FlowAppState& s, Direction d) const {
  if (s.parser == nullptr || s.def == nullptr) return false;
  constexpr size_t kNewest = 16;
  const auto i = static_cast<size_t>(index(d));
  if (!s.def->end_hands_out_stream[i]) return false;
  auto& open = s.parser->transactions;
  bool any = false;
  for (size_t n = 0; n < std::min(open.size(), kNewest); ++n) {
    Transaction& tx = *open[open.size() - 1 - n];
    if (tx.told_complete[i] || tx.progress[i] < s.def->complete[i]) continue;
    tx.told_complete[i] = true;
    any = true;
  }
  return any;
}

// Returns how many bytes the parser took; after an error or done all of them, so that nobody keeps
// them for us.
size_t Driver::Impl::feed(FlowAppState& s, Direction d, const Input& in, bool tcp) {
  const auto i = static_cast<size_t>(index(d));
  if (s.parser == nullptr || s.failed || s.finished[i]) return in.data.size();
  if (in.data.size() < s.needed[i] && !in.end) return 0;
  if (in.data.empty() && !in.end) return 0;
  s.parser_fed = true;
  ++counters.parse_calls;
  counters.parse_bytes += in.data.size();
  const ParseResult r = s.parser->parse(d, in);
  count_transactions(s, tcp);
  if (s.parser->speaks != AppProto::kUnknown) rename(s);
  if (s.parser->frames != nullptr) {
    s.parser->frames->fill(d, in.data, in.offset);
    if (in.end) s.parser->frames->close(d);
  }
  assert(r.consumed <= in.data.size());
  const size_t left = in.data.size() - r.consumed;
  s.needed[i] = 0;
  switch (r.status) {
    case ParseResult::Status::kOk:
      if (left > kUnconsumedBytesMax) {
        ++counted(tcp, s.proto).errors_unconsumed;
        break;
      }
      // More than the bound that is never given up would be a wait without end.
      s.needed[i] = static_cast<uint32_t>(std::min(std::max(r.needed, left + (left > 0)), kUnconsumedBytesMax));
      return r.consumed;
    case ParseResult::Status::kDone:
      s.finished[i] = true;
      return in.data.size();
    case ParseResult::Status::kUpgrade:
      finish_parser(s);
      s.upgrade_pending = true;
      s.proto_expected = r.next;
      begin_upgrade(s);
      return r.consumed;
    case ParseResult::Status::kError:
      ++counted(tcp, s.proto).errors_parser;
      break;
  }
  s.failed = true;
  s.finished = {true, true};
  finish_parser(s);
  return in.data.size();
}

// A connection that is over stays in the flow table for a while: not with all that a parser keeps. One that was reset may go on, where
// the reset was not the other side's.
void Driver::Impl::drop_parser_at_end(const flow::Flow& f, FlowAppState& s) {
  constexpr uint8_t kBoth = (1U << kDirections) - 1;
  if (s.ends_told != kBoth || s.upgrade_pending || !s.parser->transactions.empty() || s.parser->frames != nullptr ||
      s.parser->no_payload_inspection)
    return;
  if (const flow::RawStream* stream = flow::raw_stream(f); stream != nullptr && stream->was_reset()) return;
  finish_parser(s);
  if (!s.parser->transactions.empty()) return;
  s.finished = {true, true};
  s.parser.reset();
}

Driver::Driver(std::shared_ptr<const DriverConfig> config) : impl_(std::make_unique<Impl>()) {
  impl_->config = std::move(config);
}

Driver::~Driver() = default;

const DriverCounters& Driver::counters() const { return impl_->counters; }

bool Driver::wants(const flow::Flow& f, Direction d) const {
  const FlowAppState* s = app_state(f);
  if (s == nullptr || s->upgrade_pending) return true;
  return !s->failed && !s->finished[static_cast<size_t>(index(d))];
}

size_t Driver::on_data(flow::Flow& f, Packet& p, Direction d,
                       const reassembly::StreamChunk& chunk) {
  FlowAppState& s = impl_->state_of(f);
  if (!wants(f, d)) return chunk.data.size();
  const Input in{chunk.data, chunk.offset, false,       chunk.end, p.ts,
                 p.number,   f.key.sport,  f.key.dport, f.key.src, f.key.dst};
  if (s.parser == nullptr) impl_->adopt_expected(f, s, p.ts);
  // A flow whose endpoints are to be swapped is parsed the right way round already.
  Direction way = s.reverse_wanted ? opposite(d) : d;
  if (!s.detection[static_cast<size_t>(index(way))].completed) {
    if (in.data.empty()) return 0;
    const bool more = impl_->detect(s, f, way, in, true);
    if (!more) return wants(f, d) ? 0 : chunk.data.size();
    // Only now it is known what the other side, which spoke first, has said: its bytes are parsed before these.
    if (s.first_data != way && !s.parser_fed && s.parser != nullptr &&
        s.detection[static_cast<size_t>(index(opposite(way)))].bytes_seen > 0) {
      s.parser_fed = true;
      s.other_side_first = true;
      return 0;
    }
  }
  if (chunk.depth && s.parser != nullptr) truncate_files(*s.parser, way);
  const bool had_failed = s.failed;
  const size_t took = impl_->feed(s, way, in, true);
  if (chunk.end) s.ends_told |= 1U << index(way);
  if (s.parser != nullptr && s.parser->bypass_flow) f.phase = flow::FlowPhase::kBypassed;
  if (s.failed && !had_failed) impl_->apply_error_policy(f, p);
  impl_->announce(f, s, p.ts);
  for (const Direction each : {d, opposite(d)}) {   // an answer may complete what was asked
    if (!impl_->completed(s, s.reverse_wanted ? opposite(each) : each)) continue;
    if (flow::RawStream* raw = flow::raw_stream(f)) raw->raw_trigger(each);
  }
  return took;
}

void Driver::speak(flow::Flow& f, AppProto proto) {
  FlowAppState& s = impl_->state_of(f);
  impl_->adopt(s, proto, f.key.protocol == 6);
  s.proto_of = {proto, proto};
  for (DetectionState& each : s.detection) each.completed = true;
  s.first_data_seen = true;
}

bool Driver::other_side_first(const flow::Flow& f, Direction) {
  FlowAppState* s = app_state(f);
  return s != nullptr && std::exchange(s->other_side_first, false);
}

void Driver::on_gap(flow::Flow& f, Packet& p, Direction d, uint64_t, uint64_t size) {
  FlowAppState& s = impl_->state_of(f);
  if (!wants(f, d)) return;
  const Direction way = s.reverse_wanted ? opposite(d) : d;
  if (s.parser == nullptr || s.upgrade_pending ||
      !s.detection[static_cast<size_t>(index(way))].completed) {
    // What the flow speaks can no longer be told from this direction; with the other one known its
    // parser cannot start here either.
    DetectionState& here = s.detection[static_cast<size_t>(index(way))];
    here.patterns_done = here.probes_done = true;
    if (s.parser == nullptr || s.upgrade_pending) {
      impl_->give_up(s);
      return;
    }
    here.completed = true;
    s.proto_of[static_cast<size_t>(index(way))] = s.proto;
  }
  s.needed[static_cast<size_t>(index(way))] = 0;
  if (s.parser->frames != nullptr) s.parser->frames->close(way);
  const bool go_on = s.parser->gap(way, size);
  impl_->count_transactions(s, true);
  if (go_on) return;
  ++impl_->counted(true, s.proto).errors_gap;
  s.failed = true;
  s.finished = {true, true};
  impl_->finish_parser(s);
  impl_->apply_error_policy(f, p);
}

void Driver::on_datagram(flow::Flow& f, Packet& p) {
  FlowAppState& s = impl_->state_of(f);
  if (s.failed || p.payload.empty()) return;
  Direction d = s.reverse_wanted ? opposite(p.direction) : p.direction;
  const Input in{p.payload, 0,           true,        false,     p.ts,
                 p.number,  f.key.sport, f.key.dport, f.key.src, f.key.dst};
  DetectionState& here = s.detection[static_cast<size_t>(index(d))];
  if (!known(s.proto) && !here.completed) {
    if (s.proto == AppProto::kFailed) return;
    // A datagram is whole: nothing that it lacks will come, but the next one may tell more.
    here.patterns_done = here.probes_done = false;
    here.probes_refused = 0;
    if (!impl_->detect(s, f, d, in, false)) return;
  }
  s.needed = {};
  if (s.parser != nullptr && s.parser->frames != nullptr) s.parser->frames->close(d);   // those of earlier datagrams
  static_cast<void>(impl_->feed(s, d, in, false));
  if (s.failed) impl_->apply_error_policy(f, p);
  s.needed = {};
}

void Driver::on_flow_end(flow::Flow& f, Packet&) {
  FlowAppState* s = app_state(f);
  if (s == nullptr) return;
  // Datagrams may be recognised to the last one; now none comes any more.
  constexpr uint8_t kUdp = 17;
  if (f.key.protocol == kUdp && s->first_data_seen && s->proto == AppProto::kUnknown) s->proto = AppProto::kFailed;
  impl_->finish_parser(*s);
}

void Driver::collect(flow::Flow& f) {
  FlowAppState* s = app_state(f);
  if (s == nullptr || s->parser == nullptr) return;
  if (s->parser->frames != nullptr) s->parser->frames->collect();
  auto& open = s->parser->transactions;
  if (open.empty()) return impl_->drop_parser_at_end(f, *s);
  const uint32_t all_logged = static_cast<uint32_t>((uint64_t{1} << s->def->loggers.size()) - 1);
  const auto done = [&](const std::unique_ptr<Transaction>& tx) {
    for (size_t i = 0; i < kDirections; ++i) {
      if (tx->progress[i] < s->def->complete[i]) return false;
      if (!tx->inspected[i] && !tx->skip_inspection) return false;
    }
    return (tx->logged & all_logged) == all_logged && tx->events_logged >= tx->events().size() &&
           files_logged(*tx);
  };
  while (!open.empty() && done(open.front())) open.pop_front();
  if (!open.empty()) erase_if(open, done);
  if (open.empty()) impl_->drop_parser_at_end(f, *s);
}

}  // namespace vong::applayer
