// ICMP, RFC 792; RFC 950 (address mask), 1256 (router discovery).
//
//   type(1) code(1) checksum(2) rest of the header(4): id(2) sequence(2) of queries
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kHeaderBytes = 8, kIpv4HeaderBytes = 20;

enum Type : uint8_t {
  kEchoReply = 0,
  kUnreachable = 3,
  kSourceQuench = 4,
  kRedirect = 5,
  kEcho = 8,
  kRouterAdvertisement = 9,
  kRouterSolicitation = 10,
  kTimeExceeded = 11,
  kParameterProblem = 12,
  kTimestamp = 13,
  kTimestampReply = 14,
  kInformation = 15,
  kInformationReply = 16,
  kAddressMask = 17,
  kAddressMaskReply = 18,
};
constexpr uint8_t kMaxUnreachableCode = 15, kMaxRedirectCode = 3, kMaxTimeExceededCode = 1,
                  kMaxParameterCode = 2;

// The start of the packet that the message speaks of.
void decode_embedded(Context& c, Packet& p, Bytes bytes) {
  if (bytes.empty()) return;
  if (bytes.size() < kIpv4HeaderBytes) {
    c.invalid(p, PacketEvent::kIcmpv4Ipv4TruncPkt);
    return;
  }
  if (bytes[0] >> 4 != 4) {
    c.invalid(p, PacketEvent::kIcmpv4Ipv4UnknownVer);
    return;
  }
  IcmpFields& icmp = p.icmp;
  icmp.has_embedded = true;
  icmp.embedded_protocol = bytes[9];
  icmp.embedded_src = IpAddress::v4(bytes.data() + 12);
  icmp.embedded_dst = IpAddress::v4(bytes.data() + 16);
  const size_t header_bytes = (bytes[0] & 0x0f) * 4u;
  const bool first_fragment = (load_u16(bytes.data() + 6) & 0x1fff) == 0;
  if (header_bytes < kIpv4HeaderBytes || bytes.size() < header_bytes || !first_fragment) return;
  decode_embedded_ports(icmp, bytes.subspan(header_bytes));
}

}  // namespace

void decode_embedded_ports(IcmpFields& icmp, Bytes transport) {
  constexpr uint8_t kTcp = 6, kUdp = 17, kSctp = 132;
  const uint8_t protocol = icmp.embedded_protocol;
  if ((protocol != kTcp && protocol != kUdp && protocol != kSctp) || transport.size() < 4) return;
  icmp.embedded_sport = load_u16(transport.data());
  icmp.embedded_dport = load_u16(transport.data() + 2);
}

bool decode_icmpv4(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.icmpv4;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kIcmpv4PktTooSmall);
  p.is_icmp4 = true;
  p.wants_flow = true;
  p.transport_header = bytes.first(kHeaderBytes);
  p.payload = bytes.subspan(kHeaderBytes);
  IcmpFields& icmp = p.icmp;
  icmp.type = bytes[0];
  icmp.code = bytes[1];
  uint8_t max_code = 0;
  bool is_error = false;
  switch (icmp.type) {
    case kUnreachable:
      max_code = kMaxUnreachableCode;
      is_error = true;
      break;
    case kRedirect:
      max_code = kMaxRedirectCode;
      is_error = true;
      break;
    case kTimeExceeded:
      max_code = kMaxTimeExceededCode;
      is_error = true;
      break;
    case kParameterProblem:
      max_code = kMaxParameterCode;
      is_error = true;
      break;
    case kSourceQuench:
      is_error = true;
      break;
    case kEchoReply:
    case kEcho:
    case kTimestamp:
    case kTimestampReply:
    case kInformation:
    case kInformationReply:
    case kAddressMask:
    case kAddressMaskReply:
      icmp.has_id_seq = true;
      icmp.id = load_u16(bytes.data() + 4);
      icmp.seq = load_u16(bytes.data() + 6);
      break;
    case kRouterAdvertisement:
      max_code = 16;
      break;  // 16: RFC 5944
    case kRouterSolicitation:
      break;
    default:
      p.events.set(PacketEvent::kIcmpv4UnknownType);
      return true;
  }
  if (icmp.code > max_code) {
    p.events.set(PacketEvent::kIcmpv4UnknownCode);
    return true;
  }
  if (is_error) decode_embedded(c, p, p.payload);
  return true;
}

}  // namespace vong::decode
