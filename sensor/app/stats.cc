#include "sensor/app/stats.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "fmt/format.h"

#include "sensor/applayer/core/driver_config.h"
#include "sensor/applayer/http/range_files.h"
#include "sensor/emit/file_store.h"

namespace vong::sensor {
namespace {

constexpr size_t kCountersExpected = 1024;

// Collects counters under the names that the record has.
class CounterWriter {
 public:
  explicit CounterWriter(StatsCounters& out) : out_(out) {}

  void open_object(std::string_view key) {
    lengths_.push_back(path_.size());
    path_.append(key).push_back(kStatsDot);
  }
  void close_object() {
    path_.resize(lengths_.back());
    lengths_.pop_back();
  }
  void field(std::string_view key, uint64_t value) { out_.push_back({fmt::format("{}{}", path_, key), value}); }

 private:
  StatsCounters& out_;
  std::string path_;
  std::vector<size_t> lengths_;
};

// Events that the reference's record does not know: there only when they have counted.
constexpr std::string_view kOwnEvents[] = {"igmp.malformed", "igmp.pkt_too_small", "igmp.v3_pkt_too_small", "sctp.too_many_chunks"};

void write_decoder(CounterWriter& out, const decode::DecodeCounters& d, bool with_events) {
  out.open_object("decoder");
  out.field("pkts", d.pkts);
  out.field("bytes", d.bytes);
  out.field("invalid", d.invalid);
  const std::pair<std::string_view, uint64_t> counts[] = {
      {"ipv4", d.ipv4},
      {"ipv6", d.ipv6},
      {"ethernet", d.ethernet},
      {"arp", d.arp},
      {"unknown_ethertype", d.unknown_ethertype},
      {"chdlc", d.chdlc},
      {"raw", d.raw},
      {"null", d.null},
      {"sll", d.sll},
      {"sll2", d.sll2},
      {"tcp", d.tcp},
      {"udp", d.udp},
      {"sctp", d.sctp},
      {"esp", d.esp},
      {"icmpv4", d.icmpv4},
      {"icmpv6", d.icmpv6},
      {"ppp", d.ppp},
      {"pppoe", d.pppoe},
      {"geneve", d.geneve},
      {"gre", d.gre},
      {"vlan", d.vlan},
      {"vlan_qinq", d.vlan_qinq},
      {"vlan_qinqinq", d.vlan_qinqinq},
      {"vxlan", d.vxlan},
      {"vntag", d.vntag},
      {"ieee8021ah", d.ieee8021ah},
      {"teredo", d.teredo},
      {"ipv4_in_ipv4", d.ipv4_in_ipv4},
      {"ipv6_in_ipv4", d.ipv6_in_ipv4},
      {"ipv4_in_ipv6", d.ipv4_in_ipv6},
      {"ipv6_in_ipv6", d.ipv6_in_ipv6},
      {"mpls", d.mpls},
      {"erspan", d.erspan},
      {"nsh", d.nsh},
      {"too_many_layers", d.too_many_layers}};
  for (const auto& [name, value] : counts) out.field(name, value);
  if (d.igmp > 0) out.field("igmp", d.igmp);   // as with kOwnEvents
  out.field("avg_pkt_size", d.pkts > 0 ? d.bytes / d.pkts : 0);
  out.field("max_pkt_size", d.max_pkt_size);
  if (with_events) {
    // Names are "group.event": one object a group. The table stands in order of groups.
    out.open_object("event");
    std::string_view group;
    for (const auto& about : all_packet_events()) {
      if (about.is_stream) continue;
      const size_t dot = about.name.find('.');
      if (dot == std::string_view::npos) continue;
      const uint64_t count = d.events[static_cast<size_t>(about.event)];
      if (count == 0 && std::ranges::find(kOwnEvents, about.name) != std::end(kOwnEvents)) continue;
      if (about.name.substr(0, dot) != group) {
        if (!group.empty()) out.close_object();
        group = about.name.substr(0, dot);
        out.open_object(group);
      }
      out.field(about.name.substr(dot + 1), count);
    }
    if (!group.empty()) out.close_object();
    out.close_object();
  }
  out.close_object();
}

void write_tcp(CounterWriter& out, const Worker& worker) {
  const auto& t = worker.tcp().counters();
  out.open_object("tcp");
  out.field("sessions", t.sessions);
  out.field("ssn_memcap_drop", t.session_memcap_drop);
  out.field("invalid_checksum", t.invalid_checksum);
  out.field("syn", t.syn);
  out.field("synack", t.synack);
  out.field("rst", t.rst);
  out.field("urg", t.urg);
  out.field("active_sessions", worker.tcp().sessions_alive());
  out.field("segment_memcap_drop", t.segment_memcap_drop);
  out.field("stream_depth_reached", t.depth_reached);
  out.field("reassembly_gap", t.reassembly_gap);
  out.field("overlap", t.overlap);
  out.field("overlap_diff_data", t.overlap_different_data);
  out.field("midstream_pickups", t.midstream_pickups);
  out.field("ack_unseen_data", t.ack_unseen_data);
  out.field("urgent_oob_data", t.urgent_oob_bytes);
  out.field("memuse", worker.tcp().memuse_bytes());
  out.field("reassembly_memuse", worker.tcp().reassembly_memuse_bytes());
  out.close_object();
}

void write_exceptions(CounterWriter& out, std::string_view key, const ExceptionCounters& counts) {
  out.open_object(key);
  for (size_t i = 1; i < counts.size(); ++i) out.field(name_of(static_cast<ExceptionPolicy>(i)), counts[i]);
  out.close_object();
}

void write_exception_policies(CounterWriter& out, const Worker& worker) {
  const auto& t = worker.tcp().counters();
  out.open_object("exception_policy");
  out.open_object("tcp");
  write_exceptions(out, "ssn_memcap", t.exception_memcap);
  write_exceptions(out, "reassembly", t.exception_reassembly);
  write_exceptions(out, "midstream", t.exception_midstream);
  out.close_object();
  out.open_object("app_layer");
  write_exceptions(out, "error", worker.driver().counters().exception_error);
  out.close_object();
  out.close_object();
}

void write_flow(CounterWriter& out, const Worker& worker) {
  const auto& f = worker.flows().counters();
  out.open_object("flow");
  out.field("total", f.total);
  out.field("tcp", f.tcp);
  out.field("udp", f.udp);
  out.field("icmpv4", f.icmpv4);
  out.field("icmpv6", f.icmpv6);
  out.field("tcp_reuse", f.tcp_reuse);
  out.field("memcap", f.memcap);
  out.field("emerg_mode_entered", f.emergency_entered);
  out.field("emerg_mode_over", f.emergency_over);
  out.field("memuse", worker.flows().memuse_bytes());
  out.close_object();
}

// The record shortens what rules spell out.
std::string name_in_stats(std::string_view event) {
  constexpr std::string_view kLong = "_different_ack", kShort = "_diff_ack";
  std::string name(event);
  if (name.ends_with(kLong)) name.replace(name.size() - kLong.size(), kLong.size(), kShort);
  return name;
}

void write_stream(CounterWriter& out, const Worker& worker) {
  constexpr std::string_view kGroup = "stream.";
  out.open_object("stream");
  for (const auto& about : all_packet_events()) {
    if (!about.is_stream || !about.name.starts_with(kGroup)) continue;
    out.field(name_in_stats(about.name.substr(kGroup.size())), worker.counters().events[static_cast<size_t>(about.event)]);
  }
  out.close_object();
}

void write_ranges(CounterWriter& out, const Plan& plan) {
  out.open_object("http");
  out.open_object("byterange");
  out.field("memuse", http::shared_range_files()->bytes());
  out.field("memcap", http::range_limits(plan.settings).bytes_max);
  out.close_object();
  out.close_object();
}

void write_file_store(CounterWriter& out, const emit::FileStore* store) {
  if (store == nullptr) return;
  out.open_object("file_store");
  out.field("fs_errors", store->errors());
  out.close_object();
}

// Of all memory caps the one that is filled most, in percent; and the most that it ever was in this process.
void write_memcap(CounterWriter& out, const Worker& worker, const Plan& plan) {
  static std::atomic<uint64_t> most = 0;
  const auto& s = plan.settings;
  const std::pair<uint64_t, uint64_t> used_of[] = {
      {worker.flows().memuse_bytes(), s.size_bytes("flow.memcap", flow::FlowConfig().memcap_bytes)},
      {worker.tcp().memuse_bytes(), s.size_bytes("stream.memcap", reassembly::TcpConfig().memcap_bytes)},
      {worker.tcp().reassembly_memuse_bytes(), s.size_bytes("stream.reassembly.memcap", reassembly::TcpConfig().reassembly_memcap_bytes)},
      {http::shared_range_files()->bytes(), http::range_limits(s).bytes_max}};
  uint64_t pressure = 0;
  for (const auto& [used, cap] : used_of) {
    if (cap > 0) pressure = std::max(pressure, used * 100 / cap);
  }
  uint64_t before = most.load();
  while (before < pressure && !most.compare_exchange_weak(before, pressure)) {
  }
  out.open_object("memcap");
  out.field("pressure", pressure);
  out.field("pressure_max", std::max(before, pressure));
  out.close_object();
}

void write_bypassed(CounterWriter& out, const Worker& worker) {
  const auto& f = worker.flows().counters();
  out.open_object("flow_bypassed");
  out.field("local_pkts", f.bypassed_packets);
  out.field("local_bytes", f.bypassed_bytes);
  out.close_object();
}

// What the reference lacks: its record knows no counters of them, so they are there only when they have counted.
constexpr std::string_view kOwnProtocols[] = {"s7comm", "iec104", "mysql", "irc", "jabber", "llmnr", "template"};

// Their one transaction is the session itself: the reference counts none of it.
constexpr std::string_view kSessionProtocols[] = {"tls", "ssh", "ftp-data"};

// A protocol over TCP and UDP has a counter for each, but for those that the record knows by one name.
constexpr std::string_view kOneCounter[] = {"snmp"};

applayer::ProtocolCounters operator+(applayer::ProtocolCounters a, const applayer::ProtocolCounters& b) {
  a.flows += b.flows;
  a.transactions += b.transactions;
  a.errors_gap += b.errors_gap;
  a.errors_parser += b.errors_parser;
  a.errors_unconsumed += b.errors_unconsumed;
  return a;
}

template <typename Write>
void each_protocol(const Worker& worker, const Plan& plan, Write write) {
  const applayer::DriverCounters& counters = worker.driver().counters();
  for (const applayer::ProtocolDef* def : applayer::protocols()) {
    if (std::ranges::find(kOneCounter, def->name) != std::end(kOneCounter)) {
      const auto id = static_cast<size_t>(def->id);
      write(std::string(def->name), counters.tcp[id] + counters.udp[id]);
      continue;
    }
    const bool both = def->probe.tcp && def->probe.udp;
    for (const bool tcp : {true, false}) {
      if (!(tcp ? def->probe.tcp : def->probe.udp) || plan.protocols->mode(def->id, tcp) == applayer::ProtocolMode::kOff) continue;
      const std::string name = std::string(def->name) + (!both ? "" : tcp ? "_tcp" : "_udp");
      const applayer::ProtocolCounters& c = (tcp ? counters.tcp : counters.udp)[static_cast<size_t>(def->id)];
      const bool own = std::ranges::find(kOwnProtocols, def->name) != std::end(kOwnProtocols);
      if (!own || c.flows != 0) write(name, c);
    }
  }
}

void write_app_layer(CounterWriter& out, const Worker& worker, const Plan& plan) {
  out.open_object("app_layer");
  out.open_object("flow");
  each_protocol(worker, plan, [&](const std::string& name, const applayer::ProtocolCounters& c) { out.field(name, c.flows); });
  out.close_object();
  out.open_object("tx");
  each_protocol(worker, plan, [&](const std::string& name, const applayer::ProtocolCounters& c) {
    const bool session = std::ranges::find(kSessionProtocols, name) != std::end(kSessionProtocols);
    out.field(name, session ? 0 : c.transactions);
  });
  out.close_object();
  out.open_object("error");
  each_protocol(worker, plan, [&](const std::string& name, const applayer::ProtocolCounters& c) {
    out.open_object(name);
    out.field("gap", c.errors_gap);
    out.field("parser", c.errors_parser);
    out.field("internal", c.errors_unconsumed);
    out.close_object();
  });
  out.close_object();
  out.close_object();
}

void write_alerts(CounterWriter& out, const Worker& worker) {
  const auto& d = worker.detector().counters();
  out.open_object("detect");
  out.field("alert", d.alerts);
  out.field("alert_queue_overflow", d.alert_queue_overflow);
  out.field("alerts_suppressed", d.alerts_suppressed);
  out.close_object();
}

}  // namespace

StatsCounters collect_stats(const Worker& worker, const Plan& plan) {
  StatsCounters counters;
  counters.reserve(kCountersExpected);
  CounterWriter out(counters);
  write_decoder(out, worker.decoder().counters(), plan.settings.flag("stats.decoder-events", true));
  if (plan.settings.flag("stats.stream-events", false)) write_stream(out, worker);
  write_tcp(out, worker);
  write_flow(out, worker);
  write_bypassed(out, worker);
  write_app_layer(out, worker, plan);
  write_ranges(out, plan);
  write_memcap(out, worker, plan);
  write_file_store(out, worker.emitter().file_store());
  if (plan.settings.flag("stats.exception-policy.global-stats", true)) write_exception_policies(out, worker);
  write_alerts(out, worker);
  return counters;
}

}  // namespace vong::sensor
