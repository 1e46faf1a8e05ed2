#include "sensor/app/metrics.h"

#include <cassert>

#include "sensor/app/kafka_output.h"

namespace vong::sensor {
namespace {

using telemetry::Kind;
using telemetry::Labels;
using telemetry::MetricInfo;

constexpr MetricInfo kMetrics[] = {
    {"vong_sensor_capture_packets_total", Kind::kCounter, "",
     "Packets taken from interfaces or files"},
    {"vong_sensor_capture_bytes_total", Kind::kCounter, "", "Bytes of these packets, as captured"},
    {"vong_sensor_decode_packets_total", Kind::kCounter, "",
     "Packets decoded, the inner ones of tunnels included"},
    {"vong_sensor_not_inspected_packets_total", Kind::kCounter, "reason",
     "Packets that were not inspected, or not wholly, by reason: kernel_drop and interface_drop "
     "were never seen"},
    {"vong_sensor_flows_total", Kind::kCounter, "protocol", "Flows made"},
    {"vong_sensor_flow_table_bytes", Kind::kGauge, "", "Memory of the flow table"},
    {"vong_sensor_flow_emergencies_total", Kind::kCounter, "",
     "Times that the flow table was so full that flows were ended early"},
    {"vong_sensor_tcp_sessions_total", Kind::kCounter, "", "TCP sessions followed"},
    {"vong_sensor_tcp_bytes", Kind::kGauge, "", "Memory of TCP sessions and their segments"},
    {"vong_sensor_tcp_gaps_total", Kind::kCounter, "",
     "Gaps in streams: bytes that were acknowledged and never came"},
    {"vong_sensor_tcp_limits_total", Kind::kCounter, "reason",
     "Times that a stream was not followed further, by limit"},
    {"vong_sensor_alerts_total", Kind::kCounter, "", "Alerts raised"},
    {"vong_sensor_other_readings_total", Kind::kCounter, "what",
     "Conflicting segments and fragments as other hosts read them: streams, datagrams and bytes "
     "looked at, alerts with the mark, given_up at a cap"},
    {"vong_sensor_dropped_alerts_total", Kind::kCounter, "reason",
     "Matches without an alert of their own, by reason"},
    {"vong_sensor_detect_limits_total", Kind::kCounter, "reason",
     "Times that detection stopped at a limit, by limit"},
    {"vong_sensor_rules", Kind::kGauge, "state", "Rules by what became of them at the start"},
    {"vong_sensor_events_total", Kind::kCounter, "", "Events given to the spool before Kafka"},
    {"vong_sensor_dropped_events_total", Kind::kCounter, "reason",
     "Events that will never arrive, by reason"},
    {"vong_sensor_dropped_events_by_priority_total", Kind::kCounter, "priority",
     "Events that the spool did not take, by priority: bulk goes first, critical last"},
    {"vong_sensor_spool_bytes", Kind::kGauge, "", "Bytes of the spool on disk"},
    {"vong_sensor_spool_pending_records", Kind::kGauge, "",
     "Events taken and not yet synced to disk"},
    {"vong_sensor_spool_failures_total", Kind::kCounter, "",
     "Groups of events that the disk did not take at the first try"},
    {"vong_sensor_spool_damaged_bytes_total", Kind::kCounter, "",
     "Damaged bytes in the spool that were skipped"},
    {"vong_sensor_sent_records_total", Kind::kCounter, "", "Events that the broker has committed"},
    {"vong_sensor_transactions_total", Kind::kCounter, "outcome", "Kafka transactions"},
    {"vong_sensor_refusals_total", Kind::kCounter, "",
     "Times that the broker refused us: credentials, rights or a missing topic"},
    {"vong_sensor_oldest_unsent_seconds", Kind::kGauge, "",
     "Age of the oldest event that is not committed; 0 for none"},
    {"vong_sensor_output_lost_lines_total", Kind::kCounter, "output", "Lines that a file, socket or syslog did not take, by output"},
    {"vong_sensor_certificates_total", Kind::kCounter, "outcome", "Chains for the certificate store: stored, refused by the file system (error), beyond its cap (full)"},
    {"vong_sensor_pcap_log_packets_total", Kind::kCounter, "", "Packets written by pcap-log"},
    {"vong_sensor_pcap_log_lost_packets_total", Kind::kCounter, "reason", "Packets that pcap-log was to write and could not, by reason"},
    {"vong_sensor_evidence_packets_total", Kind::kCounter, "",
     "Packets written to the ring on disk"},
    {"vong_sensor_evidence_lost_packets_total", Kind::kCounter, "reason",
     "Packets that were inspected and are not in the ring on disk, by reason"},
    {"vong_sensor_evidence_bytes", Kind::kGauge, "", "Bytes of the packet ring on disk"},
    {"vong_sensor_evidence_oldest_seconds", Kind::kGauge, "",
     "Age of the oldest packet in the ring on disk; 0 for none"},
    {"vong_sensor_forwarder_restarts_total", Kind::kCounter, "",
     "Times that the forwarding process died and was started again"},
    {"vong_sensor_connected_state", Kind::kGauge, "", "1 while transactions can be made, else 0"},
    {"vong_sensor_ledger_lost_total", Kind::kCounter, "reason",
     "What the loss ledger has as dropped or not inspected, packets and events, up to its last record"},
    {"vong_sensor_reloads_total", Kind::kCounter, "outcome", "Reloads of the rules: done, or refused with the old rules left in force"},
    {"vong_sensor_rules_age_seconds", Kind::kGauge, "", "For how long the rules in force have been"},
    {"vong_sensor_canaries_total", Kind::kCounter, "outcome", "Life signals: sent, seen at the rules, lost, forged"},
    {"vong_sensor_overload_steps_total", Kind::kCounter, "direction", "Steps of overload taken and undone"},
    {"vong_sensor_overload_shed_total", Kind::kCounter, "what",
     "What overload has cost: flows not followed (of them elephants), packets of such flows, packets seen by rules of high severity alone, records not written"},
    {"vong_sensor_committed_seq", Kind::kGauge, "", "The newest seq that the topic has"},
};

// What of a worker goes into which metric; the order is that of the cells.
struct WorkerRow {
  std::string_view metric;
  std::string_view label;  // of the metric's one label, empty without
  uint64_t (*read)(const Worker& worker, const capture::CaptureStats& capture);
};

using W = const Worker&;
using C = const capture::CaptureStats&;
constexpr WorkerRow kWorkerRows[] = {
    {"vong_sensor_capture_packets_total", "", [](W w, C) { return w.counters().frames; }},
    {"vong_sensor_capture_bytes_total", "", [](W w, C) { return w.counters().bytes; }},
    {"vong_sensor_decode_packets_total", "", [](W w, C) { return w.counters().packets; }},
    {"vong_sensor_not_inspected_packets_total", "kernel_drop",
     [](W, C c) { return c.kernel_drops; }},
    {"vong_sensor_not_inspected_packets_total", "interface_drop",
     [](W, C c) { return c.interface_drops; }},
    {"vong_sensor_not_inspected_packets_total", "truncated", [](W, C c) { return c.truncated; }},
    {"vong_sensor_not_inspected_packets_total", "invalid",
     [](W w, C) { return w.counters().invalid; }},
    {"vong_sensor_not_inspected_packets_total", "no_flow",
     [](W w, C) { return w.counters().no_flow; }},
    {"vong_sensor_flows_total", "tcp", [](W w, C) { return w.flows().counters().tcp; }},
    {"vong_sensor_flows_total", "udp", [](W w, C) { return w.flows().counters().udp; }},
    {"vong_sensor_flows_total", "icmpv4", [](W w, C) { return w.flows().counters().icmpv4; }},
    {"vong_sensor_flows_total", "icmpv6", [](W w, C) { return w.flows().counters().icmpv6; }},
    {"vong_sensor_flow_table_bytes", "",
     [](W w, C) { return static_cast<uint64_t>(w.flows().memuse_bytes()); }},
    {"vong_sensor_flow_emergencies_total", "",
     [](W w, C) { return w.flows().counters().emergency_entered; }},
    {"vong_sensor_tcp_sessions_total", "",
     [](W w, C) { return static_cast<uint64_t>(w.tcp().counters().sessions); }},
    {"vong_sensor_tcp_bytes", "",
     [](W w, C) {
       return static_cast<uint64_t>(w.tcp().memuse_bytes() + w.tcp().reassembly_memuse_bytes());
     }},
    {"vong_sensor_tcp_gaps_total", "",
     [](W w, C) { return static_cast<uint64_t>(w.tcp().counters().reassembly_gap); }},
    {"vong_sensor_tcp_limits_total", "session_memcap",
     [](W w, C) { return static_cast<uint64_t>(w.tcp().counters().session_memcap_drop); }},
    {"vong_sensor_tcp_limits_total", "segment_memcap",
     [](W w, C) { return static_cast<uint64_t>(w.tcp().counters().segment_memcap_drop); }},
    {"vong_sensor_tcp_limits_total", "depth",
     [](W w, C) { return static_cast<uint64_t>(w.tcp().counters().depth_reached); }},
    {"vong_sensor_alerts_total", "", [](W w, C) { return w.detector().counters().alerts; }},
    {"vong_sensor_other_readings_total", "streams", [](W w, C) { return w.other_readings().streams; }},
    {"vong_sensor_other_readings_total", "datagrams", [](W w, C) { return w.other_readings().datagrams; }},
    {"vong_sensor_other_readings_total", "bytes", [](W w, C) { return w.other_readings().bytes; }},
    {"vong_sensor_other_readings_total", "alerts", [](W w, C) { return w.other_readings().alerts; }},
    {"vong_sensor_other_readings_total", "given_up",
     [](W w, C) {
       return w.other_readings().given_up + w.tcp().counters().readings_given_up +
              w.defragmenter().counters().readings_given_up;
     }},
    {"vong_sensor_dropped_alerts_total", "threshold",
     [](W w, C) { return w.detector().counters().alerts_suppressed; }},
    {"vong_sensor_dropped_alerts_total", "queue_full",
     [](W w, C) { return w.detector().counters().alert_queue_overflow; }},
    {"vong_sensor_detect_limits_total", "pcre",
     [](W w, C) { return w.detector().counters().pcre_limit_reached; }},
    {"vong_sensor_detect_limits_total", "packet_work", [](W w, C) { return w.detector().counters().packets_work_limit; }},
    {"vong_sensor_overload_steps_total", "taken", [](W w, C) { return w.shedder().counters().steps_taken; }},
    {"vong_sensor_overload_steps_total", "undone", [](W w, C) { return w.shedder().counters().steps_undone; }},
    {"vong_sensor_overload_shed_total", "flows", [](W w, C) { return w.shedder().counters().flows_shed; }},
    {"vong_sensor_overload_shed_total", "elephants", [](W w, C) { return w.shedder().counters().elephants; }},
    {"vong_sensor_overload_shed_total", "packets", [](W w, C) { return w.shedder().counters().packets_shed; }},
    {"vong_sensor_overload_shed_total", "packets_limited", [](W w, C) { return w.shedder().counters().packets_limited; }},
    {"vong_sensor_overload_shed_total", "records", [](W w, C) { return w.emitter().records_shed(); }},
    {"vong_sensor_detect_limits_total", "recursion",
     [](W w, C) { return w.detector().counters().recursion_limit_reached; }},
    {"vong_sensor_detect_limits_total", "tx_state",
     [](W w, C) { return w.detector().counters().tx_state_full; }},
    {"vong_sensor_detect_limits_total", "flow_state",
     [](W w, C) { return w.detector().counters().flow_state_full; }},
    {"vong_sensor_detect_limits_total", "host_table",
     [](W w, C) { return w.detector().counters().host_table_full; }},
    {"vong_sensor_detect_limits_total", "threshold_table",
     [](W w, C) { return w.detector().counters().threshold_table_full; }},
    {"vong_sensor_detect_limits_total", "dataset",
     [](W w, C) { return w.detector().counters().dataset_full; }},
};
static_assert(std::size(kWorkerRows) <= kWorkerCells);

constexpr double kNsToSeconds = 1e-9;

Labels one_label(std::string_view metric, std::string_view value) {
  if (value.empty()) return {};
  for (const MetricInfo& info : kMetrics) {
    if (info.name == metric) return {{std::string(info.labels), std::string(value)}};
  }
  assert(false && "the metric is not in the table");
  return {};
}

// Behind the spool: what the receiver will never take, and what damage of the disk has cost, is
// lost there.
void add_forwarder_metrics(telemetry::Registry& r, const ForwardingPage& page) {
  const send::ForwarderCounters& out = page.out;
  const spool::ReaderCounters& back = page.spool;
  r.add("vong_sensor_forwarder_restarts_total", {}, page.restarts);
  r.add("vong_sensor_dropped_events_total", {{"reason", "rejected"}}, out.rejected_records);
  r.add("vong_sensor_dropped_events_total", {{"reason", "damaged"}}, back.lost_records);
  r.add("vong_sensor_spool_damaged_bytes_total", {}, back.corrupt_bytes);
  r.add("vong_sensor_sent_records_total", {}, out.sent_records);
  r.add("vong_sensor_transactions_total", {{"outcome", "committed"}}, out.transactions);
  r.add("vong_sensor_transactions_total", {{"outcome", "aborted"}}, out.aborted_transactions);
  r.add("vong_sensor_refusals_total", {}, out.refusals);
  r.add("vong_sensor_oldest_unsent_seconds", {},
        [&out] { return static_cast<double>(out.oldest_unsent_ns.value()) * kNsToSeconds; });
  r.add("vong_sensor_connected_state", {}, out.connected);
  r.add("vong_sensor_committed_seq", {}, out.last_committed_seq);
}

}  // namespace

std::span<const MetricInfo> metrics_table() { return kMetrics; }

void publish(const Worker& worker, const capture::CaptureStats& capture, WorkerCells& cells) {
  for (std::size_t i = 0; i < std::size(kWorkerRows); ++i) {
    cells.cells[i].set(static_cast<int64_t>(kWorkerRows[i].read(worker, capture)));
  }
}

void add_worker_metrics(telemetry::Registry& registry, const WorkerCells& cells) {
  for (std::size_t i = 0; i < std::size(kWorkerRows); ++i) {
    registry.add(kWorkerRows[i].metric, one_label(kWorkerRows[i].metric, kWorkerRows[i].label),
                 cells.cells[i]);
  }
}

void add_rule_metrics(telemetry::Registry& registry, const detect::RuleCounts& rules) {
  for (const auto& [state, count] :
       {std::pair{"loaded", rules.loaded}, {"failed", rules.failed}, {"skipped", rules.skipped}}) {
    registry.add("vong_sensor_rules", {{"state", state}},
                 [n = static_cast<double>(count)] { return n; });
  }
}

void add_kafka_metrics(telemetry::Registry& r, const KafkaOutput& output) {
  const sink::SinkCounters& in = output.sink().counters();
  const spool::WriterCounters& disk = output.sink().writer().counters();
  r.add("vong_sensor_events_total", {}, in.in_events);
  for (std::size_t i = 0; i < sink::kDropReasons; ++i) {
    const auto reason = static_cast<sink::DropReason>(i);
    r.add("vong_sensor_dropped_events_total",
          {{"reason", std::string(sink::drop_reason_name(reason))}}, in.dropped_events[i]);
  }
  for (std::size_t i = 0; i < sink::kPriorities; ++i) {
    r.add("vong_sensor_dropped_events_by_priority_total",
          {{"priority", std::string(sink::priority_name(static_cast<sink::Priority>(i)))}},
          in.dropped_events_of[i]);
  }
  r.add("vong_sensor_spool_bytes", {}, disk.bytes);
  r.add("vong_sensor_spool_pending_records", {}, disk.pending_records);
  r.add("vong_sensor_spool_failures_total", {}, disk.failures);
  if (output.forwarding() != nullptr) add_forwarder_metrics(r, *output.forwarding());
}

Result<std::optional<telemetry::Server>> open_metrics_page(const Settings& settings,
                                                           const telemetry::Registry& registry) {
  const std::string listen(settings.text("metrics.listen", ""));
  if (listen.empty()) return std::nullopt;
  Result<telemetry::Server> server = telemetry::Server::start(listen, registry);
  if (!server) return std::unexpected(server.error());
  return std::move(*server);
}

}  // namespace vong::sensor
