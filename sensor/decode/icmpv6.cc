// ICMPv6, RFC 4443; neighbour discovery 4861, multicast listeners 2710 and 3810, node information
// 4620, mobility 6275, https://www.iana.org/assignments/icmpv6-parameters.
//
//   type(1) code(1) checksum(2) rest of the header(4)
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kHeaderBytes = 8, kIpv6HeaderBytes = 40;

enum Type : uint8_t {
  kUnreachable = 1,
  kTooBig = 2,
  kTimeExceeded = 3,
  kParameterProblem = 4,
  kExperiment1 = 100,
  kExperiment2 = 101,
  kEchoRequest = 128,
  kEchoReply = 129,
  kListenerQuery = 130,
  kListenerReport = 131,
  kListenerDone = 132,
  kRouterSolicitation = 133,
  kRouterAdvertisement = 134,
  kNeighbourSolicitation = 135,
  kNeighbourAdvertisement = 136,
  kRedirect = 137,
  kRouterRenumbering = 138,
  kNodeQuery = 139,
  kNodeReply = 140,
  kInverseSolicitation = 141,
  kInverseAdvertisement = 142,
  kListenerReportV2 = 143,
  kHomeAgentRequest = 144,
  kHomeAgentReply = 145,
  kPrefixSolicitation = 146,
  kPrefixAdvertisement = 147,
  kCertificationSolicitation = 148,
  kCertificationAdvertisement = 149,
  kSeamoby = 150,
  kRouterDiscoverAdvertisement = 151,
  kRouterDiscoverSolicitation = 152,
  kRouterDiscoverTermination = 153,
  kFastHandover = 154,
  kRpl = 155,
  kLocatorUpdate = 156,
  kDuplicateRequest = 157,
  kDuplicateConfirmation = 158,
  kMpl = 159,
  kExperiment3 = 200,
  kExperiment4 = 201,
};

void decode_embedded(Context& c, Packet& p, Bytes bytes) {
  if (bytes.empty()) return;
  if (bytes.size() < kIpv6HeaderBytes) {
    c.invalid(p, PacketEvent::kIcmpv6Ipv6TruncPkt);
    return;
  }
  if (bytes[0] >> 4 != 6) {
    c.invalid(p, PacketEvent::kIcmpv6Ipv6UnknownVersion);
    return;
  }
  IcmpFields& icmp = p.icmp;
  icmp.has_embedded = true;
  icmp.embedded_protocol = bytes[6];
  icmp.embedded_src = IpAddress::v6(bytes.data() + 8);
  icmp.embedded_dst = IpAddress::v6(bytes.data() + 24);
  decode_embedded_ports(icmp, bytes.subspan(kIpv6HeaderBytes));
}

// Highest code of an assigned type; -1: not assigned, -2: for experiments, -3: reserved.
int max_code(uint8_t type) {
  switch (type) {
    case kUnreachable:
      return 8;
    case kTimeExceeded:
      return 1;
    case kParameterProblem:
      return 10;
    case kRouterRenumbering:
      return 255;
    case kNodeQuery:
    case kNodeReply:
      return 2;
    case kDuplicateRequest:
    case kDuplicateConfirmation:
    case kRpl:
      return 255;
    case kExperiment1:
    case kExperiment2:
    case kExperiment3:
    case kExperiment4:
      return -2;
    default:
      break;
  }
  if (type == kTooBig || (type >= kEchoRequest && type <= kMpl)) return 0;
  const bool unassigned = (type >= 5 && type <= 99) || (type >= 102 && type <= 126) ||
                          (type >= 160 && type <= 199) || (type >= 202 && type <= 254);
  return unassigned ? -1 : -3;
}

}  // namespace

bool decode_icmpv6(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.icmpv6;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kIcmpv6PktTooSmall);
  p.is_icmp6 = true;
  p.wants_flow = true;
  p.transport_header = bytes.first(kHeaderBytes);
  p.payload = bytes.subspan(kHeaderBytes);
  IcmpFields& icmp = p.icmp;
  icmp.type = bytes[0];
  icmp.code = bytes[1];
  const int highest = max_code(icmp.type);
  if (highest < 0) {
    p.events.set(highest == -1   ? PacketEvent::kIcmpv6UnassignedType
                 : highest == -2 ? PacketEvent::kIcmpv6ExperimentationType
                                 : PacketEvent::kIcmpv6UnknownType);
    return true;
  }
  switch (icmp.type) {
    case kEchoRequest:
    case kEchoReply:
      icmp.has_id_seq = true;
      icmp.id = load_u16(bytes.data() + 4);
      icmp.seq = load_u16(bytes.data() + 6);
      break;
    case kTooBig:
      icmp.mtu = load_u32(bytes.data() + 4);
      break;
    // RFC 2710 3: sent with hop limit 1, so that they come from this link.
    case kListenerQuery:
    case kListenerReport:
    case kListenerDone:
    case kListenerReportV2:
      if (p.ip.ttl != 1) p.events.set(PacketEvent::kIcmpv6MldMessageWithInvalidHl);
      break;
    default:
      break;
  }
  if (icmp.code > highest) {
    p.events.set(PacketEvent::kIcmpv6UnknownCode);
  } else if (icmp.type <= kParameterProblem) {
    decode_embedded(c, p, p.payload);
  }
  return true;
}

}  // namespace vong::decode
