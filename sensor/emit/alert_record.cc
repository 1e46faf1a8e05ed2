#include "sensor/emit/alert_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "sensor/applayer/core/driver.h"
#include "sensor/applayer/core/file.h"
#include "sensor/emit/transaction_records.h"
#include "sensor/flow/raw_stream.h"

namespace vong::emit {
namespace {

const Settings kNoOptions;

// libpcap's names of link-layer header types.
std::string_view link_type_name(LinkType t) {
  switch (t) {
    case LinkType::kNull: return "NULL";
    case LinkType::kEthernet: return "EN10MB";
    case LinkType::kPpp: return "PPP";
    case LinkType::kPppEther: return "PPP_ETHER";
    case LinkType::kRaw:
    case LinkType::kRawBsd:
    case LinkType::kRawOpenBsd: return "RAW";
    case LinkType::kLoop: return "LOOP";
    case LinkType::kCiscoHdlc: return "C_HDLC";
    case LinkType::kLinuxSll: return "LINUX_SLL";
    case LinkType::kLinuxSll2: return "LINUX_SLL2";
    case LinkType::kIpv4: return "IPV4";
    case LinkType::kIpv6: return "IPV6";
    default: return "";
  }
}

void write_endpoint(JsonWriter& out, std::string_view key, const IpAddress& ip, uint16_t port,
                    bool with_port) {
  out.open_object(key);
  out.field("ip", ip);
  if (with_port) out.field("port", port);
  out.close_object();
}

// `target:` says which end is the victim: EVE's alert.source and alert.target.
void write_target(JsonWriter& out, const Packet& packet, detect::Target target) {
  if (target == detect::Target::kNone) return;
  const bool ports = packet.ip.protocol == 6 || packet.ip.protocol == 17;
  const bool to_destination = target == detect::Target::kDestination;
  write_endpoint(out, "source", to_destination ? packet.src : packet.dst,
                 to_destination ? packet.sport : packet.dport, ports);
  write_endpoint(out, "target", to_destination ? packet.dst : packet.src,
                 to_destination ? packet.dport : packet.sport, ports);
}

// "http.uri 12+8": eight bytes from the twelfth on.
void write_matches(JsonWriter& out, std::span<const detect::MatchedContent> matches) {
  if (matches.empty()) return;
  out.open_array("matched");
  for (const auto& match : matches)
    out.string(fmt::format("{} {}+{}", match.buffer, match.offset, match.length));
  out.close_array();
}

// The rule's own metadata, and under a key of ours what it found.
void write_rule_metadata(JsonWriter& out, const detect::CompiledRule& rule, bool with_rule,
                         std::span<const detect::MatchedContent> matches,
                         std::span<const std::string_view> reading) {
  const auto metadata = with_rule ? rule.metadata() : decltype(rule.metadata())();
  if (metadata.empty() && matches.empty() && reading.empty()) return;
  out.open_object("metadata");
  write_matches(out, matches);
  if (!reading.empty()) {  // segments or fragments conflict: hosts with these policies see what matched
    out.open_array("ambiguous");
    for (const auto policy : reading) out.string(policy);
    out.close_array();
  }
  for (const auto& [key, values] : metadata) {
    out.key_escaped(key);
    out.open_array();
    for (const auto value : values) out.string(value);
    out.close_array();
  }
  out.close_object();
}

// Where to read more: the rule's references as addresses.
void write_references(JsonWriter& out, const detect::CompiledRule& rule,
                      const detect::RuleSet& rules) {
  const auto references = rule.references(rules);
  if (references.empty()) return;
  out.open_array("references");
  for (const auto& r : references) {
    const bool has_scheme = r.id.find("://") != std::string_view::npos;
    out.string(has_scheme ? std::string(r.id) : std::string(r.url_prefix).append(r.id));
  }
  out.close_array();
}

// The client behind the proxy, of the transaction that the alert speaks of, or else the newest one.
std::optional<IpAddress> client_of(const ForwardedFor& xff, const Packet& packet,
                                   const detect::Alert& alert) {
  if (!xff.enabled || packet.flow == nullptr) return std::nullopt;
  const auto* app = applayer::app_state(*packet.flow);
  if (app == nullptr || app->def == nullptr) return std::nullopt;
  if (alert.tx != nullptr) return xff.of(*app->def, *alert.tx);
  if (app->parser == nullptr || app->parser->transactions.empty()) return std::nullopt;
  return xff.of(*app->def, *app->parser->transactions.back());
}

void write_alert_object(JsonWriter& out, const Origin& origin, const Packet& packet,
                        const detect::Alert& alert, const detect::RuleSet* rules,
                        const IpAddress* client) {
  const auto& rule = *alert.rule;
  out.open_object("alert");
  out.field("action", alert.eve_action());
  out.field("gid", rule.gid);
  out.field("signature_id", rule.sid);
  out.field("rev", rule.rev);
  out.field("signature", rule.msg);
  out.field("category", rule.category);
  out.field("severity", rule.priority);
  write_target(out, packet, rule.target);
  const auto& options = origin.config.alerts;
  write_rule_metadata(out, rule, options.rule_metadata,
                      options.matches ? alert.evidence : std::span<const detect::MatchedContent>(),
                      origin.reading);
  if (origin.config.alerts.reference && rules != nullptr) write_references(out, rule, *rules);
  if (origin.config.alerts.rule_text) out.field("rule", rule.text);
  if (!alert.context.empty()) {
    out.open_object("context");
    for (const auto& [key, json] : alert.context) {
      out.key_escaped(key);
      out.raw(json);
    }
    out.close_object();
  }
  if (client != nullptr) out.field("xff", *client);
  out.close_object();
}

void write_tunnel(JsonWriter& out, const Packet& packet) {
  if (packet.outer == nullptr || packet.is_defragmented) return;
  const Packet& outer = *packet.outer;
  if (outer.ip.version == 0) return;
  out.open_object("tunnel");
  out.field("src_ip", outer.src);
  if (outer.sport != 0 || outer.is_tcp || outer.is_udp) out.field("src_port", outer.sport);
  out.field("dest_ip", outer.dst);
  if (outer.dport != 0 || outer.is_tcp || outer.is_udp) out.field("dest_port", outer.dport);
  out.key("proto");
  write_protocol(out, outer.ip.protocol);
  out.field("depth", packet.tunnel_depth);
  out.field("pcap_cnt", packet.number);
  out.field("pkt_src", packet_source_name(outer));
  out.close_object();
}

// The transaction's record, its files, the flow's application protocol.
void write_app_layer(JsonWriter& out, const Origin& origin, const Packet& packet,
                     const detect::Alert& alert) {
  const auto* app = applayer::app_state(*packet.flow);
  if (app == nullptr || app->def == nullptr || alert.tx == nullptr) return;
  if (app->def->alert_record != nullptr) {
    const Settings* configured = origin.config.record(app->def->name);
    Settings options = configured != nullptr ? *configured : kNoOptions;
    if (origin.config.alerts.http_body) options.set("http-body", "yes");
    if (origin.config.alerts.http_body_printable) options.set("http-body-printable", "yes");
    (void)app->def->alert_record(*alert.tx, {"alert", &options, alert.direction}, out);
  }
  const auto* files = alert.tx->files(alert.direction);
  if (files == nullptr || files->files().empty()) return;
  out.open_array("files");
  for (const auto& file : files->files()) write_file(out, file, alert.tx->id);
  out.close_array();
}

void write_payload(JsonWriter& out, const AlertOptions& options, Bytes payload) {
  if (options.payload_length) out.field("payload_length", payload.size());
  payload = payload.first(std::min<size_t>(payload.size(), options.payload_buffer_bytes));
  if (options.payload && !payload.empty()) {
    out.key("payload");
    out.base64(payload);
  }
  if (options.payload_printable && !payload.empty()) {
    out.key("payload_printable");
    out.printable(payload);
  }
}

// What becomes of the packet: of a passive sensor always what the rule says short of acting on it.
void write_verdict(JsonWriter& out, const detect::Alert& alert) {
  out.open_object("verdict");
  // A passive sensor drops nothing: what a rule would drop is an alert.
  out.field("action", alert.action == detect::AlertAction::kPass ? "pass" : "alert");
  out.close_object();
}

void write_evidence(JsonWriter& out, const Origin& origin, const Packet& packet,
                    const detect::Alert& alert) {
  const auto& options = origin.config.alerts;
  const bool wants_payload = options.payload || options.payload_printable || options.payload_length;
  bool stream = false;
  if (wants_payload) {
    Bytes payload = packet.payload;
    std::string copy;
    if (packet.is_tcp && (alert.stream_match || alert.state_match) && !origin.stream_payload.empty()) {
      payload = origin.stream_payload;
      stream = true;
    } else if (packet.is_tcp && packet.flow != nullptr && (alert.stream_match || alert.state_match)) {
      if (const auto* raw = flow::raw_stream(*packet.flow)) {
        const auto window = raw->raw_window(packet.direction, true);
        if (!window.data.empty()) {
          payload = window.data;
          stream = true;
        }
      }
    }
    write_payload(out, options, payload);
  } else {
    stream = packet.is_tcp && (alert.stream_match || alert.state_match);
  }
  if (wants_payload || options.packet) out.field("stream", stream ? 1 : 0);
  if (options.packet) write_packet(out, packet);
}

}  // namespace

void write_packet(JsonWriter& out, const Packet& packet) {
  if (packet.frame.empty()) return;
  out.key("packet");
  out.base64(packet.frame);
  out.open_object("packet_info");
  out.field("linktype", static_cast<uint16_t>(packet.link_type));
  if (const auto name = link_type_name(packet.link_type); !name.empty())
    out.field("linktype_name", name);
  out.close_object();
}

void write_flow_excerpt(JsonWriter& out, const flow::Flow& flow) {
  out.open_object("flow");
  out.field("pkts_toserver", flow.counters[0].packets);
  out.field("pkts_toclient", flow.counters[1].packets);
  out.field("bytes_toserver", flow.counters[0].bytes);
  out.field("bytes_toclient", flow.counters[1].bytes);
  out.field("start", flow.start);
  out.field("src_ip", flow.key.src);
  out.field("dest_ip", flow.key.dst);
  if (flow.key.protocol == 6 || flow.key.protocol == 17 || flow.key.protocol == 132) {
    out.field("src_port", flow.key.sport);
    out.field("dest_port", flow.key.dport);
  }
  out.close_object();
}

void write_alert(LineSink& sink, const Origin& origin, const Packet& packet,
                 const detect::Alert& alert, const detect::RuleSet* rules) {
  if (!origin.config.alert) return;
  thread_local std::string line;
  line.clear();
  JsonWriter out(line);
  const ForwardedFor& xff = origin.config.alerts.xff;
  const auto client = client_of(xff, packet, alert);
  open_record(out, origin, "alert", packet.ts, packet.flow, &packet, RecordDirection::kPacket,
              client && xff.overwrite ? &*client : nullptr);
  if (alert.tx != nullptr) out.field("tx_id", alert.tx_id);
  if (alert.tx != nullptr && alert.tx_guessed) out.field("tx_guessed", true);
  write_alert_object(out, origin, packet, alert, rules,
                     client && !xff.overwrite ? &*client : nullptr);
  write_tunnel(out, packet);
  if (packet.flow != nullptr) {
    if (origin.config.alerts.app_layer) write_app_layer(out, origin, packet, alert);
    write_app_proto(out, *packet.flow);
    if (alert.frame != nullptr) write_frame(out, *packet.flow, *alert.frame);
    out.field("direction", alert.direction == Direction::kToServer ? "to_server" : "to_client");
    if (origin.config.alerts.flow) write_flow_excerpt(out, *packet.flow);
  }
  write_evidence(out, origin, packet, alert);
  if (origin.config.alerts.verdict) write_verdict(out, alert);
  out.close_object();
  sink.line(line, {"alert", alert.rule->priority, packet.flow != nullptr ? packet.flow->id : 0});
}

void write_tagged_packet(LineSink& sink, const Origin& origin, const Packet& packet) {
  if (!origin.config.alert || !origin.config.alerts.tagged_packets) return;
  thread_local std::string line;
  line.clear();
  JsonWriter out(line);
  open_record(out, origin, "packet", packet.ts, packet.flow, &packet, RecordDirection::kPacket);
  write_packet(out, packet);
  out.close_object();
  sink.line(line, {"packet", 3, packet.flow != nullptr ? packet.flow->id : 0});
}

}  // namespace vong::emit
