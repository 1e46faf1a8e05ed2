#include "sensor/app/worker.h"

namespace vong::sensor {
namespace {

// Flows are looked through this often, in packet time: the shortest timeouts are seconds.
constexpr Duration kExpiryInterval = std::chrono::milliseconds(250);

}  // namespace

Worker::Worker(const Plan& plan, detect::SharedState& shared, emit::LineSink& sink)
    : plan_(plan),
      decoder_(plan.settings),
      flows_(plan.settings, plan.offline),
      tcp_(plan.settings),
      driver_(plan.protocols),
      detector_(plan.rules, plan.settings, shared),
      emitter_(plan.eve, sink, plan.interfaces) {}

Worker::~Worker() = default;

void Worker::process(const RawPacket& raw) {
  ++counters_.frames;
  counters_.bytes += raw.wire_len;
  counters_.max_packet_bytes = std::max<uint64_t>(counters_.max_packet_bytes, raw.wire_len);
  last_ = std::max(last_, raw.ts);
  if (last_ >= next_expiry_) expire(last_);
  decoder_.decode(raw, *this);
}

void Worker::on_packet(Packet& packet) {
  ++counters_.packets;
  if (packet.invalid || packet.ip.version == 0) {
    counters_.invalid += packet.invalid;
    inspect_and_emit(packet, false);
    return;
  }
  if (plan_.check_checksums) decoder_.verify_checksums(packet);
  flow::Flow* flow = flows_.lookup(packet, [this](flow::Flow& ended, flow::FlowEndReason reason) { end_flow(ended, reason); });
  if (flow == nullptr) {
    ++counters_.no_flow;
    inspect_and_emit(packet, false);
    return;
  }
  if (packet.is_tcp) {
    tcp_.handle(packet, *flow, driver_);
  } else if (packet.is_udp && !packet.payload.empty() && !packet.checksum_bad_transport) {
    driver_.on_datagram(*flow, packet);
  }
  inspect_and_emit(packet, false);
}

void Worker::inspect_and_emit(Packet& packet, bool final) {
  const auto alerts = detector_.inspect(packet);
  emitter_.alerts(packet, alerts, detector_.tagged());
  emitter_.packet_events(packet);
  emitter_.arp(packet);
  if (packet.flow != nullptr) {
    emitter_.transactions(packet, final);
    driver_.collect(*packet.flow);
  }
}

void Worker::expire(Timestamp now) {
  next_expiry_ = now + kExpiryInterval;
  flows_.expire(now, [this](flow::Flow& flow, flow::FlowEndReason reason) { end_flow(flow, reason); });
}

void Worker::tick(Timestamp now) {
  last_ = std::max(last_, now);
  expire(last_);
}

// What is still held of the flow's bytes is handed out, looked at and logged, first to the server and then to the client; then the flow's record.
void Worker::end_flow(flow::Flow& flow, flow::FlowEndReason reason) {
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    Packet pseudo = flow::pseudo_packet(flow, d, last_);
    if (flow.key.protocol == 6) tcp_.flush(flow, pseudo, driver_);
    if (d == Direction::kToClient) driver_.on_flow_end(flow, pseudo);
    inspect_and_emit(pseudo, d == Direction::kToClient);
  }
  emitter_.flow_end(flow, reason, last_);
}

void Worker::finish() {
  flows_.flush([this](flow::Flow& flow, flow::FlowEndReason reason) { end_flow(flow, reason); });
}

}  // namespace vong::sensor
