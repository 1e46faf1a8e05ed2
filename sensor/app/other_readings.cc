#include "sensor/app/other_readings.h"

#include <algorithm>

#include "sensor/app/worker.h"
#include "sensor/detect/flow_state.h"
#include "sensor/reassembly/defrag_policy.h"

namespace vong::sensor {
namespace {

constexpr uint64_t kDefaultBytes = 1 << 20;
constexpr int64_t kDefaultAlerts = 32, kAlertsMax = 100'000;
constexpr uint64_t kBytesMax = uint64_t{1} << 40;
constexpr int kOffersMax = 8;   // times that a parser is offered the rest of a reading (upgrades)
constexpr uint8_t kLooksMax = 3;

uint64_t key_of(const detect::CompiledRule& rule) { return uint64_t{rule.gid} << 32 | rule.sid; }

// One reading of one direction, as a stream of its own.
class ReadingStream final : public flow::RawStream {
 public:
  explicit ReadingStream(const flow::RawStream& real) : real_(real) {}
  void show(Direction d, Bytes data, uint64_t from, uint64_t unit) {
    direction_ = d;
    window_ = {data, from};
    done_ = unit;
  }

  [[nodiscard]] Window raw_window(Direction d, bool) const override {
    return d == direction_ && done_ < window_.offset + window_.data.size() ? window_ : Window();
  }
  [[nodiscard]] uint64_t raw_inspected(Direction) const override { return done_; }
  void raw_done(Direction, uint64_t offset) override { done_ = offset; }
  [[nodiscard]] uint64_t stream_size(Direction d) const override { return real_.stream_size(d); }
  [[nodiscard]] bool established() const override { return real_.established(); }
  [[nodiscard]] bool spoke_first(Direction d) const override { return real_.spoke_first(d); }
  [[nodiscard]] bool was_reset() const override { return real_.was_reset(); }
  [[nodiscard]] bool depth_reached(Direction d) const override { return real_.depth_reached(d); }
  [[nodiscard]] flow::TcpSummary summary() const override { return real_.summary(); }
  void raw_stop(Direction) override {}
  void raw_trigger(Direction) override {}
  [[nodiscard]] bool gives_way_to(const Packet&, Direction) const override { return false; }

 private:
  const flow::RawStream& real_;
  Direction direction_ = Direction::kToServer;
  Window window_;
  uint64_t done_ = 0;
};

// All but what rooms keep with it.
void copy_flow(const flow::Flow& from, flow::Flow& to) {
  to.key = from.key;
  to.hash = from.hash;
  to.id = from.id;
  to.start = from.start;
  to.last = from.last;
  to.phase = from.phase;
  to.to_client_seen = from.to_client_seen;
  to.to_server_seen = from.to_server_seen;
  to.midstream = from.midstream;
  to.reversed = from.reversed;
  to.pass_by_policy = from.pass_by_policy;
  to.interface = from.interface;
  for (int d = 0; d < kDirections; ++d) {
    to.min_ttl[d] = from.min_ttl[d];
    to.max_ttl[d] = from.max_ttl[d];
    to.counters[d] = from.counters[d];
  }
  to.first_packet_number = from.first_packet_number;
}

}  // namespace

struct OtherReadingsInspector::Beside {
  flow::Flow flow;
  ReadingStream* stream = nullptr;   // in its slot
  applayer::AppProto proto = applayer::AppProto::kUnknown;   // of the true flow
};

OtherReadingsInspector::OtherReadingsInspector(const Plan& plan, detect::SharedState& shared, emit::Emitter& emitter)
    : plan_(plan),
      shared_(shared),
      emitter_(emitter),
      rules_(plan.rules),
      bytes_max_(std::min(plan.settings.size_bytes("detect.other-readings.bytes", kDefaultBytes), kBytesMax)),
      alerts_max_(static_cast<uint32_t>(
          std::clamp<int64_t>(plan.settings.integer("detect.other-readings.alerts", kDefaultAlerts), 0, kAlertsMax))) {}

OtherReadingsInspector::~OtherReadingsInspector() = default;

// False: there are no rules that could match.
bool OtherReadingsInspector::ready() {
  if (rules_ == nullptr || plan_.protocols == nullptr) return false;
  if (driver_ == nullptr) driver_ = std::make_unique<applayer::Driver>(plan_.protocols);
  if (detector_ == nullptr) {
    detector_ = std::make_unique<detect::Detector>(rules_, plan_.settings, shared_);
    detector_->set_observing();
    detector_->set_tenant(tenant_);
  } else if (&detector_->rules() != rules_.get()) {
    detector_->set_rules(rules_);
  }
  return true;
}

std::unique_ptr<OtherReadingsInspector::Beside> OtherReadingsInspector::beside(const flow::Flow& flow) const {
  auto b = std::make_unique<Beside>();
  copy_flow(flow, b->flow);
  if (const auto* state = detect::flow_detect(flow)) b->flow.set_slot(flow::FlowSlot::kDetect, detect::copy_for_observer(*state));
  if (const auto* real = flow::raw_stream(flow)) {
    auto stream = std::make_unique<ReadingStream>(*real);
    b->stream = stream.get();
    b->flow.set_slot(flow::FlowSlot::kStream, std::move(stream));
  }
  if (const auto* app = applayer::app_state(flow)) b->proto = app->proto;
  return b;
}

// The parser gets [unit, end), detection that with what came before it. `packet` is the flow's own but for its bytes.
std::span<const detect::Alert> OtherReadingsInspector::look(Beside& b, Packet& packet, Bytes data, uint64_t from, uint64_t unit,
                                                            bool over) {
  using applayer::AppProto;
  const Direction d = packet.direction;
  b.stream->show(d, data, from, unit);
  if (unit > 0 && b.proto != AppProto::kUnknown && b.proto != AppProto::kFailed) driver_->speak(b.flow, b.proto);
  Bytes rest = data.subspan(unit - from);
  uint64_t offset = unit;
  for (int i = 0; i < kOffersMax && !rest.empty(); ++i) {
    const size_t took = std::min(driver_->on_data(b.flow, packet, d, {rest, offset, over, false}), rest.size());
    if (took == 0) break;
    rest = rest.subspan(took);
    offset += took;
  }
  if (over) driver_->on_flow_end(b.flow, packet);
  return detector_->inspect(packet);
}

void OtherReadingsInspector::tell(Packet& packet, std::span<const detect::Alert> alerts, std::vector<uint64_t>& told,
                                  std::span<const std::string_view> policies, uint32_t& alerts_so_far) {
  std::vector<detect::Alert> fresh;
  for (const detect::Alert& alert : alerts) {
    const uint64_t key = key_of(*alert.rule);
    if (std::find(told.begin(), told.end(), key) != told.end()) continue;
    if (alerts_so_far >= alerts_max_) {
      ++counters_.given_up;
      continue;
    }
    ++alerts_so_far;
    told.push_back(key);
    fresh.push_back(alert);
  }
  if (fresh.empty()) return;
  counters_.alerts += fresh.size();
  emitter_.set_evidence(detector_->packet_vars(), detector_->stream_payload());
  emitter_.set_reading(policies);
  emitter_.alerts(packet, fresh, false, &detector_->rules());
  emitter_.set_reading({});
}

void OtherReadingsInspector::inspect_stream(Packet& packet, reassembly::TcpSession& session) {
  const Direction d = packet.direction;
  reassembly::OtherReadings& r = *session.readings(d);
  reassembly::RareState& rare = *session.rare;
  const auto window = session.raw_window(d, packet.is_pseudo);
  const uint64_t end = window.offset + window.data.size();
  if (window.data.empty() || end <= r.conflict_begin()) return;
  // Patterns that begin in the conflict may end behind it: one more window is looked at, or what follows in this one suffices.
  const bool last = packet.is_pseudo || ++r.looks >= kLooksMax || (r.looks > 1 && end > r.conflict_end());
  const auto readings = r.readings(end);
  const bool allowed = readings.size() > 1 && alerts_max_ != 0 && !packet.no_inspection && ready();
  if (allowed) {
    Packet own = packet;
    own.is_pseudo = true;   // its own bytes are not looked at here
    own.payload = {};
    own.events = {};
    bool host = true;
    for (const auto& reading : readings) {
      if (reading.data.size() <= r.unit() - r.from()) continue;
      if (rare.reading_bytes + reading.data.size() > bytes_max_) {
        ++counters_.given_up;
        break;
      }
      rare.reading_bytes += reading.data.size();
      counters_.bytes += reading.data.size();
      const auto b = beside(*packet.flow);
      own.flow = &b->flow;
      const auto alerts = look(*b, own, reading.data, r.from(), r.unit(), packet.is_pseudo);
      if (host) {   // what the receiver reads is the true flow's to tell
        detector_->matched_rules(r.told);
        host = false;
        continue;
      }
      ++counters_.streams;
      Packet shown = own;
      shown.is_pseudo = packet.is_pseudo;
      shown.payload = packet.payload;
      tell(shown, alerts, r.told, reading.policies, rare.reading_alerts);
      packet.flow->alerted |= b->flow.alerted;
    }
  }
  if (last) session.drop_readings(d);
}

void OtherReadingsInspector::note_datagram(const Packet& packet, const detect::Detector& detector) {
  datagram_told_.clear();
  detector.matched_rules(datagram_told_);
  datagram_number_ = packet.number;
  datagram_alerts_ = 0;
}

void OtherReadingsInspector::inspect_datagram(Packet& packet, const flow::Flow* flow) {
  if (alerts_max_ == 0 || !ready()) return;
  if (packet.number != datagram_number_) {   // the receiver's reading was no packet: nothing was told of it
    datagram_told_.clear();
    datagram_number_ = packet.number;
    datagram_alerts_ = 0;
  }
  ++counters_.datagrams;
  counters_.bytes += packet.payload.size();
  std::unique_ptr<Beside> b;
  packet.flow = nullptr;
  if (flow != nullptr) {
    b = beside(*flow);
    b->flow.set_slot(flow::FlowSlot::kStream, nullptr);   // a segment's place in its stream is the receiver's matter
    packet.flow = &b->flow;
    packet.direction = flow::direction_of(*flow, packet);
    const auto* stream = flow::raw_stream(*flow);
    packet.flow_established = stream != nullptr ? stream->established() : flow->to_client_seen && flow->to_server_seen;
    if (packet.is_udp && !packet.payload.empty()) driver_->on_datagram(b->flow, packet);
  }
  std::vector<std::string_view> policies;
  for (int i = 0; i < reassembly::kDefragPolicies; ++i) {
    if ((packet.other_reading >> i & 1) != 0) policies.push_back(name_of(static_cast<reassembly::DefragPolicy>(i)));
  }
  tell(packet, detector_->inspect(packet), datagram_told_, policies, datagram_alerts_);
  packet.flow = nullptr;
}

}  // namespace vong::sensor
