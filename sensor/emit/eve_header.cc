#include "sensor/emit/eve_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/encode.h"
#include "sensor/applayer/core/driver.h"
#include "sensor/detect/detector.h"
#include "sensor/emit/ip_protocol.h"

namespace vong::emit {
namespace {

using Mac = std::array<uint8_t, 6>;
constexpr size_t kMaxMacsPerFlow = 10;  // of each end; further ones are left out, as the reference does

// What emit remembers of a flow.
struct FlowEmitState : flow::FlowState {
  std::string community_id;
  std::array<std::vector<Mac>, 2> macs;  // of the client's side, of the server's side
  void on_swap_direction() override { std::swap(macs[0], macs[1]); }
};

// The slot is emit's own cache; the flow's identity does not change by filling it.
FlowEmitState& emit_state(const flow::Flow& f) {
  auto* state = static_cast<FlowEmitState*>(f.slot(flow::FlowSlot::kEmit));
  if (state == nullptr) {
    auto fresh = std::make_unique<FlowEmitState>();
    state = fresh.get();
    const_cast<flow::Flow&>(f).set_slot(flow::FlowSlot::kEmit, std::move(fresh));
  }
  return *state;
}

const std::string& cached_community_id(const flow::Flow& f, uint16_t seed) {
  auto& state = emit_state(f);
  if (state.community_id.empty()) state.community_id = community_id(f.key, f.icmp_type, f.icmp_code, seed);
  return state.community_id;
}

std::string mac_text(const uint8_t* mac) { return hex_of(Bytes(mac, 6), ':'); }

struct Endpoints {
  const IpAddress *src, *dst;
  uint16_t sport, dport;
};

Endpoints endpoints(const flow::Flow* flow, const Packet* packet, RecordDirection direction) {
  if (packet != nullptr && (direction == RecordDirection::kPacket || flow == nullptr)) {
    return {&packet->src, &packet->dst, packet->sport, packet->dport};
  }
  const auto& key = flow->key;
  if (direction == RecordDirection::kToClient) return {&key.dst, &key.src, key.dport, key.sport};
  return {&key.src, &key.dst, key.sport, key.dport};
}

void write_vlan(JsonWriter& out, const flow::Flow* flow, const Packet* packet) {
  std::array<uint16_t, kMaxVlanTags> ids{};
  size_t n = 0;
  if (packet != nullptr && !packet->is_pseudo) {
    for (; n < packet->vlan_count; ++n) ids[n] = packet->vlan_tci[n] & 0x0fff;
  } else if (flow != nullptr) {
    while (n < ids.size() && flow->key.vlan_id[n] != 0) {
      ids[n] = flow->key.vlan_id[n];
      ++n;
    }
  }
  if (n == 0) return;
  out.open_array("vlan");
  for (size_t i = 0; i < n; ++i) out.number(uint64_t{ids[i]});
  out.close_array();
}

bool has_ports(uint8_t protocol) { return protocol == 6 || protocol == 17 || protocol == 132; }

// The packet's addresses, turned where the record stands the other way.
void write_ethernet(JsonWriter& out, const Packet& packet, RecordDirection direction) {
  if (packet.ethernet == nullptr) return;
  const bool turned = packet.flow != nullptr && direction != RecordDirection::kPacket &&
                      (direction == RecordDirection::kToServer) != (packet.direction == Direction::kToServer);
  out.open_object("ether");
  out.field("ether_type", static_cast<uint16_t>(packet.ethernet[12] << 8 | packet.ethernet[13]));
  out.field("src_mac", std::string_view(mac_text(packet.ethernet + (turned ? 0 : 6))));
  out.field("dest_mac", std::string_view(mac_text(packet.ethernet + (turned ? 6 : 0))));
  out.close_object();
}

// The addresses of both sides over the flow's life.
void write_flow_macs(JsonWriter& out, const flow::Flow& f, RecordDirection direction) {
  auto macs = emit_state(f).macs;
  if (direction == RecordDirection::kToClient) std::swap(macs[0], macs[1]);
  if (macs[0].empty() && macs[1].empty()) return;
  out.open_object("ether");
  for (const auto& [i, key] : {std::pair<size_t, std::string_view>(1, "dest_macs"), {0, "src_macs"}}) {
    if (macs[i].empty()) continue;
    out.open_array(key);
    for (const auto& mac : macs[i]) out.string(mac_text(mac.data()));
    out.close_array();
  }
  out.close_object();
}

// The reference's version whose records these are, for tools that ask for it.
constexpr std::string_view kCompatibleVersion = "8.0.6";

// Flowbits "traffic/id/NAME" and "traffic/label/NAME" say what kind of traffic a flow is: EVE's own object for them.
void write_traffic(JsonWriter& out, const std::vector<std::string>& flowbits) {
  bool open = false;
  for (const auto& [prefix, key] : {std::pair<std::string_view, std::string_view>("traffic/id/", "id"), {"traffic/label/", "label"}}) {
    bool listed = false;
    for (const std::string_view bit : flowbits) {
      if (!bit.starts_with(prefix)) continue;
      if (!open) out.open_object("traffic");
      if (!listed) out.open_array(key);
      open = listed = true;
      out.string(bit.substr(prefix.size()));
    }
    if (listed) out.close_array();
  }
  if (open) out.close_object();
}

// "flowvars":[{NAME:VALUE}, ...]
void write_captures(JsonWriter& out, std::string_view key, std::span<const std::pair<std::string, std::string>> captures) {
  if (captures.empty()) return;
  out.open_array(key);
  for (const auto& [name, value] : captures) {
    out.open_object();
    out.key_escaped(name);
    out.string(value);
    out.close_object();
  }
  out.close_array();
}

// By buffer, whose dots are written as underscores; raw bytes of packet and stream are "content".
void write_entropies(JsonWriter& out, const std::vector<std::pair<std::string_view, double>>& entropies) {
  if (entropies.empty()) return;
  out.open_object("entropy");
  for (const auto& [buffer, value] : entropies) {
    std::string name(buffer == "payload" || buffer == "stream" ? "content" : buffer);
    std::replace(name.begin(), name.end(), '.', '_');
    out.key_escaped(name);
    out.real(value);
  }
  out.close_object();
}

}  // namespace

void write_metadata(JsonWriter& out, const Origin& origin, const flow::Flow* flow, const Packet* packet) {
  const auto variables = flow != nullptr ? detect::flow_variables(*flow) : detect::FlowVariables();
  const auto packet_vars = packet != nullptr ? origin.packet_vars : decltype(origin.packet_vars)();
  if (variables.empty() && packet_vars.empty()) return;
  write_traffic(out, variables.flowbits);
  out.open_object("metadata");
  if (!variables.flowbits.empty()) {
    out.open_array("flowbits");
    for (const auto& bit : variables.flowbits) out.string(bit);
    out.close_array();
  }
  if (!variables.flowints.empty()) {
    out.open_object("flowints");
    for (const auto& [name, value] : variables.flowints) {
      out.key_escaped(name);
      out.number(uint64_t{value});
    }
    out.close_object();
  }
  write_captures(out, "flowvars", variables.flowvars);
  write_captures(out, "pktvars", packet_vars);
  write_entropies(out, variables.entropies);
  out.close_object();
}

void note_macs(const Packet& packet) {
  if (packet.flow == nullptr || packet.ethernet == nullptr) return;
  auto& state = emit_state(*packet.flow);
  const bool forward = packet.direction == Direction::kToServer;
  const std::array<const uint8_t*, 2> ends = {packet.ethernet + (forward ? 6 : 0), packet.ethernet + (forward ? 0 : 6)};
  for (size_t i = 0; i < 2; ++i) {
    Mac mac;
    std::memcpy(mac.data(), ends[i], 6);
    auto& known = state.macs[i];
    if (known.size() < kMaxMacsPerFlow && std::find(known.begin(), known.end(), mac) == known.end()) known.push_back(mac);
  }
}

std::string_view packet_source_name(const Packet& packet) {
  if (packet.is_pseudo) return "stream (flow timeout)";
  if (packet.is_defragmented) return "defrag";
  switch (packet.tunnel) {
    case TunnelKind::kNone:
      return "wire/pcap";
    case TunnelKind::kGre:
      return "gre tunnel";
    case TunnelKind::kIpInIp:
      return packet.ip.version == 4 ? "ipv4 tunnel" : "ipv6 tunnel";
    case TunnelKind::kTeredo:
      return "teredo tunnel";
    case TunnelKind::kVxlan:
      return "vxlan encapsulation";
    case TunnelKind::kErspan:
      return "erspan encapsulation";
    case TunnelKind::kGeneve:
      return "geneve encapsulation";
    case TunnelKind::kDefrag:
    case TunnelKind::kOther:
      return "wire/pcap";
  }
  return "wire/pcap";
}

void write_protocol(JsonWriter& out, uint8_t ip_protocol) {
  if (const auto name = ip_protocol_name(ip_protocol); !name.empty()) return out.string(name);
  std::array<char, 4> digits;
  for (int i = 2, v = ip_protocol; i >= 0; --i, v /= 10)
    digits[static_cast<size_t>(i)] = static_cast<char>('0' + v % 10);
  out.string(std::string_view(digits.data(), 3));
}

void write_app_proto(JsonWriter& out, const flow::Flow& flow) {
  using applayer::AppProto;
  const auto* app = applayer::app_state(flow);
  if (app == nullptr || (app->proto == AppProto::kUnknown && !app->failed)) return;
  if (app->proto != AppProto::kUnknown) out.field("app_proto", applayer::name_of(app->proto));
  const auto [ts, tc] = std::pair(app->proto_of[0], app->proto_of[1]);
  if (tc != AppProto::kUnknown && tc != app->proto)
    out.field("app_proto_tc", applayer::name_of(tc));
  if (ts != AppProto::kUnknown && ts != app->proto)
    out.field("app_proto_ts", applayer::name_of(ts));
  if (app->proto_original != AppProto::kUnknown && app->proto_original != app->proto) {
    out.field("app_proto_orig", applayer::name_of(app->proto_original));
  }
  if (app->proto_expected != AppProto::kUnknown && app->proto_expected != app->proto) {
    out.field("app_proto_expected", applayer::name_of(app->proto_expected));
  }
}

void open_record(JsonWriter& out, const Origin& origin, std::string_view event_type, Timestamp ts,
                 const flow::Flow* flow, const Packet* packet, RecordDirection direction,
                 const IpAddress* client) {
  out.open_object();
  out.field("timestamp", ts);
  if (flow != nullptr) {
    out.field("flow_id", flow->id);
    const auto* app = applayer::app_state(*flow);
    if (app != nullptr && app->parent_flow != 0) out.field("parent_id", app->parent_flow);
  }
  if (!origin.interface.empty()) out.field("in_iface", origin.interface);
  if (packet != nullptr && packet->number != 0) out.field("pcap_cnt", packet->number);
  out.field("event_type", event_type);
  if (!origin.config.sensor_name.empty()) out.field("host", origin.config.sensor_name);
  if (flow != nullptr && flow->tenant != 0) out.field("tenant_id", flow->tenant);
  write_vlan(out, flow, packet);
  const bool is_ip = flow != nullptr || packet->ip.version != 0;
  if (is_ip) {
    Endpoints ends = endpoints(flow, packet, direction);
    if (client != nullptr) {
      const bool answer = direction == RecordDirection::kPacket
                              ? packet != nullptr && packet->direction == Direction::kToClient
                              : direction == RecordDirection::kToClient;
      (answer ? ends.dst : ends.src) = client;
    }
    const uint8_t protocol = flow != nullptr ? flow->key.protocol : packet->ip.protocol;
    out.field("src_ip", *ends.src);
    if (has_ports(protocol)) out.field("src_port", ends.sport);
    out.field("dest_ip", *ends.dst);
    if (has_ports(protocol)) out.field("dest_port", ends.dport);
    out.key("proto");
    write_protocol(out, protocol);
    out.field("ip_v", ends.src->family());
    if (protocol == 50) {
      const bool from_packet = packet != nullptr && packet->is_esp;
      if (from_packet || flow != nullptr) out.field("spi", from_packet ? packet->esp_spi : flow->key.spi);
    }
    if (protocol == 1 || protocol == 58) {
      const bool from_packet = packet != nullptr && (packet->is_icmp4 || packet->is_icmp6);
      out.field("icmp_type", from_packet       ? packet->icmp.type
                             : flow != nullptr ? flow->icmp_type
                                               : uint8_t{0});
      out.field("icmp_code", from_packet       ? packet->icmp.code
                             : flow != nullptr ? flow->icmp_code
                                               : uint8_t{0});
    }
  }
  if (packet != nullptr) out.field("pkt_src", packet_source_name(*packet));
  if (origin.config.pcap_file && !origin.capture_file.empty())
    out.field("pcap_filename", origin.capture_file);
  if (origin.config.ethernet) {
    if (packet != nullptr) write_ethernet(out, *packet, direction);
    else write_flow_macs(out, *flow, direction);
  }
  if (origin.config.community_id && flow != nullptr) {
    out.field("community_id", cached_community_id(*flow, origin.config.community_id_seed));
  }
  if (origin.config.suricata_version) out.field("suricata_version", kCompatibleVersion);
  if (origin.config.metadata) write_metadata(out, origin, flow, packet);
}

}  // namespace vong::emit
