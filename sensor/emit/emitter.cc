#include "sensor/emit/emitter.h"

#include "sensor/emit/alert_record.h"
#include "sensor/emit/flow_record.h"
#include "sensor/emit/packet_records.h"
#include "sensor/emit/transaction_records.h"

namespace vong::emit {

void Emitter::alerts(const Packet& packet, std::span<const detect::Alert> alerts, bool tagged,
                     const detect::RuleSet* rules) {
  if (!config_.enabled) return;
  const Origin from = origin(packet.interface);
  for (const auto& alert : alerts) {
    if (packet.flow != nullptr) packet.flow->alerted = true;
    write_alert(sink_, from, packet, alert, rules);
  }
  if (tagged) write_tagged_packet(sink_, from, packet);
  if (config_.metadata_records && !packet_vars_.empty()) write_metadata_record(sink_, from, packet);
}

void Emitter::packet_events(const Packet& packet) {
  if (!config_.enabled || !config_.anomaly || !packet.events.any()) return;
  if (!config_.anomalies.decode && !config_.anomalies.stream) return;
  write_packet_anomalies(sink_, origin(packet.interface), packet);
}

void Emitter::arp(const Packet& packet) {
  if (config_.enabled && config_.arp && packet.arp)
    write_arp(sink_, origin(packet.interface), packet);
}

void Emitter::transactions(const Packet& packet, bool final) {
  if (!config_.enabled || packet.flow == nullptr) return;
  const Origin from = origin(packet.interface);
  write_driver_events(sink_, from, *packet.flow, packet);
  write_transactions(sink_, from, *packet.flow, packet, final);
  if (config_.frame) write_frames(sink_, from, *packet.flow, packet, final);
}

void Emitter::flow_end(flow::Flow& flow, flow::FlowEndReason reason, Timestamp now) {
  if (!config_.enabled) return;
  const Origin from = origin(flow.interface);
  if (config_.flow) write_flow(sink_, from, flow, reason, now);
  if (config_.netflow) write_netflow(sink_, from, flow, now);
}

void Emitter::own_record(std::string_view event_type, std::string_view body, Timestamp now) {
  if (!config_.enabled) return;
  std::string line;
  JsonWriter out(line);
  out.open_object();
  out.field("timestamp", now);
  out.field("event_type", event_type);
  if (!config_.sensor_name.empty()) out.field("host", config_.sensor_name);
  out.key(event_type);
  out.raw(body);
  out.close_object();
  sink_.line(line, {event_type, 3, 0});
}

}  // namespace vong::emit
