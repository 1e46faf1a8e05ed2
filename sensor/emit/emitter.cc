#include "sensor/emit/emitter.h"

#include <algorithm>

#include "sensor/emit/alert_record.h"
#include "sensor/emit/fast_line.h"
#include "sensor/emit/flow_record.h"
#include "sensor/emit/packet_records.h"
#include "sensor/emit/transaction_records.h"

namespace vong::emit {
namespace {

bool any(const EveConfig& config, bool EveConfig::*on) {
  return config.*on || std::any_of(config.further.begin(), config.further.end(),
                                   [&](const EveConfig& c) { return c.*on; });
}

// The rule has the keyword `tls.store` (or its older name).
bool stores_certificates(const detect::CompiledRule& rule) {
  return rule.text.find("tls.store;") != std::string_view::npos || rule.text.find("tlsstore;") != std::string_view::npos ||
         rule.text.find("tls_store;") != std::string_view::npos;
}

void store_certificates(CertificateStore& store, const Packet& packet, std::span<const detect::Alert> alerts) {
  const auto* app = packet.flow != nullptr ? applayer::app_state(*packet.flow) : nullptr;
  if (app == nullptr || app->def == nullptr) return;
  for (const auto& alert : alerts) {
    applayer::CertificateView view;
    if (alert.tx != nullptr && stores_certificates(*alert.rule) && applayer::certificates_of(app->def->name, *alert.tx, view)) store.store(view, packet);
  }
}

}  // namespace

Emitter::Emitter(const EveConfig& config, LineSink& sink, std::vector<std::string> names)
    : config_(config),
      sink_(sink),
      wants_macs_(any(config, &EveConfig::ethernet)),
      wants_frames_(any(config, &EveConfig::frame)),
      names_(std::move(names)) {
  for (size_t i = 0; i < config.further.size(); ++i)
    further_.emplace_back(sink, static_cast<uint8_t>(i + 1));
}

Origin Emitter::origin_of(const EveConfig& config, uint16_t interface) {
  return {config,
          interface < names_.size() ? std::string_view(names_[interface]) : std::string_view(),
          capture_file_,
          packet_vars_,
          reading_,
          stream_payload_,
          store_,
          shedding_ ? &records_shed_ : nullptr};
}

Origin Emitter::origin(uint16_t interface) {
  if (further_.empty()) [[likely]]
    return origin_of(config_, interface);
  behind_.clear();
  behind_.reserve(further_.size());  // they point at each other
  for (const EveConfig& config : config_.further) {
    behind_.push_back(origin_of(config, interface));
    if (shedding_) behind_.back().shed = &not_told_;
  }
  for (size_t i = 0; i + 1 < behind_.size(); ++i) {
    behind_[i].next = &behind_[i + 1];
    behind_[i].next_sink = &further_[i + 1];
  }
  if (!config_.enabled) return behind_.front();
  Origin first = origin_of(config_, interface);
  first.next = &behind_.front();
  first.next_sink = &further_.front();
  return first;
}

void Emitter::alerts(const Packet& packet, std::span<const detect::Alert> alerts, bool tagged,
                     const detect::RuleSet* rules) {
  if (certificates_ != nullptr && !alerts.empty()) store_certificates(*certificates_, packet, alerts);
  if (!writes()) return;
  const Origin from = origin(packet.interface);
  for (const auto& alert : alerts) {
    if (packet.flow != nullptr) packet.flow->alerted = true;
    for_each_output(first_sink(), from, [&](LineSink& to, const Origin& o) {
      if (o.config.form == EveConfig::Form::kFast)
        write_fast_line(to, packet, alert);
      else if (o.config.form == EveConfig::Form::kRecords)
        write_alert(to, o, packet, alert, rules);
    });
  }
  if (!tagged && packet_vars_.empty()) return;
  for_each_output(first_sink(), from, [&](LineSink& to, const Origin& o) {
    if (tagged) write_tagged_packet(to, o, packet);
    if (o.config.metadata_records && !packet_vars_.empty()) write_metadata_record(to, o, packet);
  });
}

void Emitter::packet_events(const Packet& packet) {
  if (!packet.events.any() || !writes()) return;
  for_each_output(first_sink(), origin(packet.interface), [&](LineSink& to, const Origin& o) {
    if (o.config.anomaly && (o.config.anomalies.decode || o.config.anomalies.stream))
      write_packet_anomalies(to, o, packet);
  });
}

void Emitter::arp(const Packet& packet) {
  if (!packet.arp || !writes()) return;
  for_each_output(first_sink(), origin(packet.interface), [&](LineSink& to, const Origin& o) {
    if (o.config.arp) write_arp(to, o, packet);
  });
}

void Emitter::transactions(const Packet& packet, bool final) {
  if (packet.flow == nullptr || !writes()) return;
  const Origin from = origin(packet.interface);
  write_driver_events(first_sink(), from, *packet.flow, packet);
  write_transactions(first_sink(), from, *packet.flow, packet, final);
  if (wants_frames_) write_frames(first_sink(), from, *packet.flow, packet, final);
}

void Emitter::flow_end(flow::Flow& flow, flow::FlowEndReason reason, Timestamp now) {
  if (!writes()) return;
  for_each_output(first_sink(), origin(flow.interface), [&](LineSink& to, const Origin& o) {
    if (o.config.flow) write_flow(to, o, flow, reason, now);
    if (o.config.netflow) write_netflow(to, o, flow, now);
  });
}

void Emitter::own_record(std::string_view event_type, std::string_view body, Timestamp now) {
  if (!writes()) return;
  std::string line;
  JsonWriter out(line);
  out.open_object();
  out.field("timestamp", now);
  out.field("event_type", event_type);
  if (!config_.sensor_name.empty()) out.field("host", config_.sensor_name);
  out.key(event_type);
  out.raw(body);
  out.close_object();
  for_each_output(first_sink(), origin(0), [&](LineSink& to, const Origin& o) {
    if (o.config.stats) to.line(line, {event_type, 3, 0});
  });
}

}  // namespace vong::emit
