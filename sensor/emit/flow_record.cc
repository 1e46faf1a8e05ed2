#include "sensor/detect/detector.h"
#include "sensor/emit/flow_record.h"

#include <string>

#include "sensor/applayer/core/driver.h"
#include "sensor/emit/alert_record.h"
#include "sensor/flow/raw_stream.h"

namespace vong::emit {
namespace {

std::string_view phase_name(flow::FlowPhase phase) {
  switch (phase) {
    case flow::FlowPhase::kNew:
      return "new";
    case flow::FlowPhase::kEstablished:
      return "established";
    case flow::FlowPhase::kClosed:
      return "closed";
    case flow::FlowPhase::kBypassed:
      return "bypassed";
  }
  return "new";
}

std::string_view reason_name(flow::FlowEndReason reason) {
  switch (reason) {
    case flow::FlowEndReason::kTimeout:
      return "timeout";
    case flow::FlowEndReason::kForced:
      return "forced";
    case flow::FlowEndReason::kShutdown:
      return "shutdown";
    case flow::FlowEndReason::kTcpReuse:
      return "tcp_reuse";
  }
  return "timeout";
}

void write_hex_flags(JsonWriter& out, std::string_view key, uint8_t flags) {
  out.key(key);
  out.hex(Bytes(&flags, 1));
}

void write_flag_names(JsonWriter& out, uint8_t flags) {
  if (flags & TcpFlags::kSyn) out.field("syn", true);
  if (flags & TcpFlags::kFin) out.field("fin", true);
  if (flags & TcpFlags::kRst) out.field("rst", true);
  if (flags & TcpFlags::kPsh) out.field("psh", true);
  if (flags & TcpFlags::kAck) out.field("ack", true);
  if (flags & TcpFlags::kUrg) out.field("urg", true);
  if (flags & TcpFlags::kEce) out.field("ecn", true);
  if (flags & TcpFlags::kCwr) out.field("cwr", true);
}

// A flow without a session (nothing of it was followed) has no flags and no state.
void write_tcp(JsonWriter& out, const flow::Flow& f) {
  const auto* raw = flow::raw_stream(f);
  const flow::TcpSummary tcp = raw != nullptr ? raw->summary() : flow::TcpSummary();
  out.open_object("tcp");
  write_hex_flags(out, "tcp_flags", tcp.flags);
  write_hex_flags(out, "tcp_flags_ts", tcp.flags_to_server);
  write_hex_flags(out, "tcp_flags_tc", tcp.flags_to_client);
  write_flag_names(out, tcp.flags);
  if (raw == nullptr) return out.close_object();
  out.field("state", tcp.state);
  if (tcp.gap_to_server) out.field("ts_gap", true);
  if (tcp.gap_to_client) out.field("tc_gap", true);
  out.field("ts_max_regions", tcp.max_regions_to_server);
  out.field("tc_max_regions", tcp.max_regions_to_client);
  if (tcp.urgent_oob_to_server) out.field("ts_urgent_oob_data", tcp.urgent_oob_to_server);
  if (tcp.urgent_oob_to_client) out.field("tc_urgent_oob_data", tcp.urgent_oob_to_client);
  out.close_object();
}

int64_t age_seconds(const flow::Flow& f) {
  using std::chrono::floor;
  using std::chrono::seconds;
  return (floor<seconds>(f.last) - floor<seconds>(f.start)).count();
}

uint64_t transaction_count(const flow::Flow& f) {
  const auto* app = applayer::app_state(f);
  return app != nullptr ? app->transactions() : 0;
}

// An ICMP request that was answered: the answer's type and code.
void write_icmp_response(JsonWriter& out, const flow::Flow& f) {
  if ((f.key.protocol != 1 && f.key.protocol != 58) || !f.to_client_seen) return;
  out.field("response_icmp_type", f.icmp_response_type);
  out.field("response_icmp_code", 0);
}

// Which exception policies the flow met.
void write_exceptions(JsonWriter& out, const ExceptionPolicies& policies, const flow::Flow& f) {
  if (f.exceptions == 0) return;
  out.open_array("exception_policy");
  for (size_t i = 0; i < kExceptionTargets; ++i) {
    if ((f.exceptions >> i & 1) == 0) continue;
    const auto target = static_cast<ExceptionTarget>(i);
    out.open_object();
    out.field("target", name_of(target));
    out.field("policy", name_of(policies.of(target)));
    out.close_object();
  }
  out.close_array();
}

}  // namespace

void write_flow(LineSink& sink, const Origin& origin, const flow::Flow& f,
                flow::FlowEndReason reason, Timestamp now) {
  thread_local std::string line;
  line.clear();
  JsonWriter out(line);
  open_record(out, origin, "flow", now, &f, nullptr, RecordDirection::kToServer);
  write_icmp_response(out, f);
  write_app_proto(out, f);
  out.open_object("flow");
  out.field("pkts_toserver", f.counters[0].packets);
  out.field("pkts_toclient", f.counters[1].packets);
  out.field("bytes_toserver", f.counters[0].bytes);
  out.field("bytes_toclient", f.counters[1].bytes);
  out.field("start", f.start);
  out.field("end", f.last);
  out.field("age", age_seconds(f));
  if (f.emergency) out.field("emergency", true);
  if (f.phase == flow::FlowPhase::kBypassed) out.field("bypass", "local");
  out.field("state", phase_name(f.phase));
  out.field("reason", reason_name(reason));
  out.field("alerted", f.alerted);
  if (const auto decided = detect::flow_decision(f); decided.dropped || decided.passed) {
    out.field("action", decided.dropped ? "drop" : "pass");
  }
  write_exceptions(out, origin.config.exceptions, f);
  if (f.wrong_thread_packets > 0) out.field("wrong_thread", true);
  out.field("tx_cnt", transaction_count(f));
  out.close_object();
  if (f.key.protocol == 6) write_tcp(out, f);
  out.close_object();
  sink.line(line, {"flow", 3, f.id});
}

void write_netflow(LineSink& sink, const Origin& origin, const flow::Flow& f, Timestamp now) {
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    const auto i = static_cast<size_t>(index(d));
    if (f.counters[i].packets == 0) continue;
    thread_local std::string line;
    line.clear();
    JsonWriter out(line);
    open_record(
        out, origin, "netflow", now, &f, nullptr,
        d == Direction::kToServer ? RecordDirection::kToServer : RecordDirection::kToClient);
    write_app_proto(out, f);
    out.open_object("netflow");
    out.field("pkts", f.counters[i].packets);
    out.field("bytes", f.counters[i].bytes);
    out.field("start", f.start);
    out.field("end", f.last);
    out.field("age", age_seconds(f));
    out.field("min_ttl", f.min_ttl[i]);
    out.field("max_ttl", f.max_ttl[i]);
    out.field("tx_cnt", transaction_count(f));
    out.close_object();
    if (const auto* raw = flow::raw_stream(f); raw != nullptr && f.key.protocol == 6) {
      const auto tcp = raw->summary();
      const uint8_t flags = d == Direction::kToServer ? tcp.flags_to_server : tcp.flags_to_client;
      out.open_object("tcp");
      write_hex_flags(out, "tcp_flags", flags);
      write_flag_names(out, flags);
      out.close_object();
    }
    out.close_object();
    sink.line(line, {"netflow", 3, f.id});
  }
}

}  // namespace vong::emit
