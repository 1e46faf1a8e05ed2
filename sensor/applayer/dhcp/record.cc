// What a DHCP record says. Without `extended` only acknowledgements are logged, and of them little
// more than who got which address.
#include "base/byte_reader.h"
#include "base/encode.h"
#include "sensor/applayer/dhcp/parser.h"

namespace vong::dhcp {
namespace {

std::string dotted(uint32_t a) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += std::to_string(a >> shift & 255);
    if (shift > 0) out.push_back('.');
  }
  return out;
}

std::string_view name_of_type(uint8_t type) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "unknown", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform"};
  return type < kNames.size() ? kNames[type] : kNames[0];
}

std::string_view name_of_parameter(uint8_t code) {
  switch (code) {
    case 1:
      return "subnet_mask";
    case 3:
      return "router";
    case 6:
      return "dns_server";
    case 15:
      return "domain";
    case 35:
      return "arp_timeout";
    case 42:
      return "ntp_server";
    case 66:
      return "tftp_server_name";
    case 150:
      return "tftp_server_ip";
    default:
      return {};
  }
}

void write_addresses(std::string_view key, std::string_view data, JsonWriter& out) {
  ByteReader in(as_bytes(data));
  if (in.remaining() < 4) return;
  out.open_array(key);
  while (in.remaining() >= 4) out.string(dotted(in.u32()));
  out.close_array();
}

void write_parameters(std::string_view codes, JsonWriter& out) {
  bool open = false;
  for (const char c : codes) {
    const std::string_view name = name_of_parameter(static_cast<uint8_t>(c));
    if (name.empty()) continue;
    if (!open) out.open_array("params");
    open = true;
    out.string(name);
  }
  if (open) out.close_array();
}

void write_address(std::string_view key, std::string_view data, JsonWriter& out) {
  if (data.size() == 4) out.field(key, dotted(ByteReader(as_bytes(data)).u32()));
}

void write_number(std::string_view key, std::string_view data, JsonWriter& out) {
  out.field(key, ByteReader(as_bytes(data)).u32());
}

void write_extended(const Option& o, JsonWriter& out) {
  switch (o.code) {
    case kClientId:
      out.field("client_id", hex_of(as_bytes(std::string_view(o.data).substr(1)), ':'));
      break;
    case kLeaseTime:
      write_number("lease_time", o.data, out);
      break;
    case kRebindingTime:
      write_number("rebinding_time", o.data, out);
      break;
    case kRenewalTime:
      write_number("renewal_time", o.data, out);
      break;
    case kRequestedAddress:
      write_address("requested_ip", o.data, out);
      break;
    case kSubnetMask:
      write_address("subnet_mask", o.data, out);
      break;
    case kVendorClass:
      if (!o.data.empty()) out.field("vendor_class_identifier", o.data);
      break;
    case kParameterList:
      write_parameters(o.data, out);
      break;
    case kDnsServer:
      write_addresses("dns_servers", o.data, out);
      break;
    case kRouters:
      write_addresses("routers", o.data, out);
      break;
    default:
      break;
  }
}

void write_record(const Transaction& tx, bool extended, JsonWriter& out) {
  out.open_object("dhcp");
  out.field("type", tx.opcode == 1 ? "request" : tx.opcode == 2 ? "reply" : "unknown");
  out.field("id", tx.xid);
  out.field("client_mac", hex_of(as_bytes(tx.client_mac), ':'));
  out.field("assigned_ip", dotted(tx.addresses[1]));
  if (extended) {
    out.field("client_ip", dotted(tx.addresses[0]));
    if (tx.opcode == 2) {
      out.field("relay_ip", dotted(tx.addresses[3]));
      out.field("next_server_ip", dotted(tx.addresses[2]));
    }
  }
  std::array<bool, 256> seen{};  // a key comes once, whatever a message repeats
  for (const Option& o : tx.options) {
    if (seen[o.code]) continue;
    seen[o.code] = true;
    if (o.code == kMessageType) {
      out.field("dhcp_type", name_of_type(static_cast<uint8_t>(o.data[0])));
    } else if (o.code == kHostname) {
      if (!o.data.empty()) out.field("hostname", o.data);
    } else if (extended) {
      write_extended(o, out);
    }
  }
  out.close_object();
}

}  // namespace

bool log_dhcp(const applayer::Transaction& base, const applayer::LogContext& context,
              JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  if (tx.direction != context.direction) return false;
  const bool extended = context.options != nullptr && context.options->flag("extended", false);
  const Option* type = tx.option(kMessageType);
  if (!extended && (type == nullptr || static_cast<uint8_t>(type->data[0]) != kAck)) return false;
  write_record(tx, extended, out);
  return true;
}

bool alert_dhcp(const applayer::Transaction& base, const applayer::LogContext&, JsonWriter& out) {
  write_record(static_cast<const Transaction&>(base), true, out);
  return true;
}

}  // namespace vong::dhcp
