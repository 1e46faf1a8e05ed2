// Ethernet II, and the dispatch by EtherType that everything between link and network layer shares.
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kEthernetHeaderBytes = 14;

enum EtherType : uint16_t {
  kIpv4 = 0x0800,
  kArp = 0x0806,
  kTransparentBridging = 0x6558,
  kVlan = 0x8100,
  kIpv6 = 0x86dd,
  kMpls = 0x8847,
  kMplsMulticast = 0x8848,
  kPppoeDiscovery = 0x8863,
  kPppoeSession = 0x8864,
  kProviderVlan = 0x88a8,
  kMacsec = 0x88e5,
  kProviderBackbone = 0x88e7,
  kDce = 0x8903,
  kVntag = 0x8926,
  kNsh = 0x894f,
  kOldQinq = 0x9100,
};

}  // namespace

bool known_ether_type(uint16_t type) {
  switch (type) {
    case kIpv4:
    case kArp:
    case kVlan:
    case kIpv6:
    case kMpls:
    case kMplsMulticast:
    case kPppoeDiscovery:
    case kPppoeSession:
    case kProviderVlan:
    case kProviderBackbone:
    case kDce:
    case kVntag:
    case kNsh:
    case kOldQinq:
      return true;
    default:
      return false;
  }
}

bool decode_ether_type(Context& c, Packet& p, uint16_t type, Bytes bytes) {
  switch (type) {
    case kIpv4:
      decode_ipv4(c, p, bytes);
      return true;
    case kIpv6:
      decode_ipv6(c, p, bytes);
      return true;
    case kVlan:
    case kProviderVlan:
    case kOldQinq:
      decode_vlan(c, p, bytes);
      return true;
    case kArp:
      decode_arp(c, p, bytes);
      return true;
    case kMpls:
    case kMplsMulticast:
      decode_mpls(c, p, bytes);
      return true;
    case kPppoeSession:
      decode_pppoe_session(c, p, bytes);
      return true;
    case kPppoeDiscovery:
      decode_pppoe_discovery(c, p, bytes);
      return true;
    case kProviderBackbone:
      decode_ieee8021ah(c, p, bytes);
      return true;
    case kVntag:
      decode_vntag(c, p, bytes);
      return true;
    case kDce:
      decode_dce(c, p, bytes);
      return true;
    case kNsh:
      decode_nsh(c, p, bytes);
      return true;
    case kMacsec:
      ++c.counters.macsec;
      return false;  // encrypted: counted, not read
    default:
      return false;
  }
}

// destination(6) source(6) type(2)
bool decode_ethernet(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.ethernet;
  if (bytes.size() < kEthernetHeaderBytes) return c.invalid(p, PacketEvent::kEthernetPktTooSmall);
  if (!c.enter_layer(p)) return false;
  p.ethernet = bytes.data();
  p.ether_type = load_u16(bytes.data() + 12);
  if (!decode_ether_type(c, p, p.ether_type, bytes.subspan(kEthernetHeaderBytes))) {
    ++c.counters.unknown_ethertype;
    p.events.set(PacketEvent::kEthernetUnknownEthertype);
  }
  return true;
}

}  // namespace vong::decode
