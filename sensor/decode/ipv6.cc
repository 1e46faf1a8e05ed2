// IPv6 and its extension headers, RFC 8200; RFC 4302 (AH), 6275 (mobility), 7401 (HIP), 5533
// (shim6).
//
//   version, traffic class, flow label(4) payload length(2) next header(1) hop limit(1) source(16)
//   destination(16)
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kHeaderBytes = 40, kIpv4HeaderBytes = 20;

enum NextHeader : uint8_t {
  kHopByHop = 0,
  kIcmp = 1,
  kIpInIp = 4,
  kTcp = 6,
  kUdp = 17,
  kIpv6 = 41,
  kRouting = 43,
  kFragment = 44,
  kGre = 47,
  kEsp = 50,
  kAh = 51,
  kIcmpv6 = 58,
  kNone = 59,
  kDestination = 60,
  kSctp = 132,
  kMobility = 135,
  kHip = 139,
  kShim6 = 140,
};

enum Option : uint8_t {
  kPad1 = 0,
  kPadN = 1,
  kRouterAlert = 5,
  kJumbo = 0xc2,
  kHomeAddress = 0xc9
};

// One walk along the extension headers of a packet.
class ExtensionWalk {
 public:
  ExtensionWalk(Context& c, Packet& p) : c_(c), p_(p) {}

  void run(uint8_t next, Bytes rest) {
    for (int i = 0; i < kMaxIpv6ExtensionHeaders; ++i) {
      p_.ip.protocol = next;
      p_.payload = rest;
      p_.ip_payload = rest;
      if (i > 0 && rest.size() < 2)
        return;          // not even a header's length: the reference says nothing here
      size_t bytes = 0;  // of this extension header
      switch (next) {
        case kTcp:
          decode_tcp(c_, p_, rest);
          return;
        case kUdp:
          decode_udp(c_, p_, rest);
          return;
        case kIcmpv6:
          decode_icmpv6(c_, p_, rest);
          return;
        case kSctp:
          decode_sctp(c_, p_, rest);
          return;
        case kEsp:
          decode_esp(c_, p_, rest);
          return;
        case kGre:
          decode_gre(c_, p_, rest);
          return;
        case kIpInIp:
          decode_ipv4_in_ipv6(c_, p_, rest);
          return;
        case kIpv6:
          decode_ipv6_in_ipv6(c_, p_, rest);
          return;
        case kNone:
          if (!rest.empty()) p_.events.set(PacketEvent::kIpv6DataAfterNoneHeader);
          return;
        case kIcmp:
          c_.invalid(p_, PacketEvent::kIpv6Icmpv4);
          return;
        case kRouting:
          bytes = routing(rest);
          break;
        case kHopByHop:
          bytes = options(rest, true);
          break;
        case kDestination:
          bytes = options(rest, false);
          break;
        case kFragment:
          bytes = fragment(rest);
          if (p_.ip.is_fragment) return;
          break;
        case kAh:
          bytes = authentication(rest);
          break;
        case kMobility:
        case kHip:
        case kShim6:
          bytes = length_8(rest);
          break;
        default:
          p_.events.set(PacketEvent::kIpv6UnknownNextHeader);
          return;
      }
      if (bytes == 0) return;
      next_field_offset_ = static_cast<size_t>(rest.data() - p_.ip_header.data());
      next = rest[0];
      rest = rest.subspan(bytes);
      p_.ip_header = Bytes(p_.ip_header.data(), rest.data());
    }
    c_.invalid(p_, PacketEvent::kTooManyLayers);
    ++c_.counters.too_many_layers;
  }

 private:
  size_t truncated() {
    c_.invalid(p_, PacketEvent::kIpv6TruncExthdr);
    return 0;
  }
  // Length of a header that counts eight-byte units after the first; 0 and the event when it is not
  // all there.
  size_t length_8(Bytes rest) {
    if (rest.size() < 2) return truncated();
    const size_t bytes = (rest[1] + 1u) * 8;
    return bytes <= rest.size() ? bytes : truncated();
  }
  // Notes that a header of that kind was there: `times` of them may be.
  void count(uint8_t& seen, uint8_t times, PacketEvent duplicate) {
    if (seen >= times)
      p_.events.set(duplicate);
    else
      ++seen;
  }

  size_t routing(Bytes rest) {
    const size_t bytes = length_8(rest);
    if (bytes == 0) return 0;
    count(routing_, 1, PacketEvent::kIpv6ExthdrDuplRh);
    if (rest[2] == 0) p_.events.set(PacketEvent::kIpv6RhType0);
    return bytes;
  }

  size_t authentication(Bytes rest) {
    ++c_.counters.ah;
    if (rest.size() < 12) return truncated();
    const size_t bytes = (rest[1] + 2u) * 4;
    if (bytes > rest.size()) return truncated();
    if (load_u16(rest.data() + 2) != 0) p_.events.set(PacketEvent::kIpv6ExthdrAhResNotNull);
    count(authentication_, 1, PacketEvent::kIpv6ExthdrDuplAh);
    return bytes;
  }

  // next header(1) reserved(1) offset, 2 bits, more fragments(2) id(4)
  size_t fragment(Bytes rest) {
    if (rest.size() < 8) return truncated();
    if (fragment_ > 0) {
      p_.events.set(PacketEvent::kIpv6ExthdrDuplFh);
      return 8;
    }
    ++fragment_;
    if (rest[1] != 0) p_.events.set(PacketEvent::kIpv6FhNonZeroReservedField);
    const uint16_t field = load_u16(rest.data() + 2);
    p_.ip.id = load_u32(rest.data() + 4);
    p_.ip.fragment_offset_bytes = field & 0xfff8;
    p_.ip.more_fragments = (field & 1) != 0;
    if (p_.ip.fragment_offset_bytes == 0 &&
        !p_.ip.more_fragments) {  // an "atomic fragment", RFC 6946
      p_.events.set(PacketEvent::kIpv6ExthdrUselessFh);
      return 8;
    }
    p_.ip.is_fragment = true;
    p_.ip.protocol = rest[0];
    const Bytes before(p_.ip_header.data() + kHeaderBytes, rest.data());
    p_.ip_payload = p_.payload = rest.subspan(8);
    p_.ip_header = Bytes(p_.ip_header.data(), p_.ip_payload.data());
    if (c_.defragmenter == nullptr || p_.other_reading != 0) return 0;
    const Defragmenter::Ipv6Parts parts{before, rest[0], static_cast<uint16_t>(next_field_offset_)};
    decode_defragmented(c_, p_, c_.defragmenter->add_ipv6(p_, parts), decode_ipv6);
    return 0;
  }

  size_t options(Bytes rest, bool hop_by_hop) {
    const size_t bytes = length_8(rest);
    if (bytes == 0) return 0;
    if (hop_by_hop ? hop_by_hop_ >= 1 : destination_ >= 2) {
      p_.events.set(hop_by_hop ? PacketEvent::kIpv6ExthdrDuplHh : PacketEvent::kIpv6ExthdrDuplDh);
      return bytes;
    }
    ++(hop_by_hop ? hop_by_hop_ : destination_);
    int padding = 0, others = 0;
    const Bytes list = rest.subspan(2, bytes - 2);
    for (size_t i = 0; i < list.size();) {
      if (list[i] == kPad1) {
        ++i;
        continue;
      }
      if (i + 2 > list.size() || i + 2 + list[i + 1] > list.size()) {
        p_.events.set(PacketEvent::kIpv6ExthdrInvalidOptlen);
        break;
      }
      const uint8_t type = list[i], length = list[i + 1];
      if (!option(type, length, hop_by_hop, padding, others)) break;
      i += 2u + length;
    }
    if (padding > 0 && others == 0) {
      p_.events.set(hop_by_hop ? PacketEvent::kIpv6HopoptsOnlyPadding
                               : PacketEvent::kIpv6DstoptsOnlyPadding);
    }
    return bytes;
  }

  // False: its length is wrong, the rest of the list means nothing.
  bool option(uint8_t type, uint8_t length, bool hop_by_hop, int& padding, int& others) {
    int expected = -1;
    switch (type) {
      case kPadN:
        ++padding;
        if (length == 0) p_.events.set(PacketEvent::kIpv6ZeroLenPadn);
        return true;
      case kRouterAlert:
        expected = 2;
        break;
      case kJumbo:
        expected = 4;
        break;
      case kHomeAddress:
        expected = 16;
        break;
      default:
        p_.events.set(hop_by_hop ? PacketEvent::kIpv6HopoptsUnknownOpt
                                 : PacketEvent::kIpv6DstoptsUnknownOpt);
        break;
    }
    if (expected >= 0 && length != expected) {
      p_.events.set(PacketEvent::kIpv6ExthdrInvalidOptlen);
      return false;
    }
    ++others;
    return true;
  }

  Context& c_;
  Packet& p_;
  size_t next_field_offset_ =
      6;  // of the byte that named the header at hand, from the fixed header's start
  uint8_t hop_by_hop_ = 0, destination_ = 0, routing_ = 0, fragment_ = 0, authentication_ = 0;
};

}  // namespace

bool decode_ipv6(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.ipv6;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kIpv6PktTooSmall);
  const uint8_t* h = bytes.data();
  if (h[0] >> 4 != 6) return c.invalid(p, PacketEvent::kIpv6WrongIpVersion);
  const size_t payload_bytes = load_u16(h + 4);
  if (bytes.size() - kHeaderBytes < payload_bytes) return c.invalid(p, PacketEvent::kIpv6TruncPkt);

  const uint32_t first = load_u32(h);
  p.ip.version = 6;
  p.ip.protocol = h[6];
  p.ip.ttl = h[7];
  p.ip.tos = static_cast<uint8_t>(first >> 20);
  p.ip.flow_label = first & 0xfffff;
  p.src = IpAddress::v6(h + 8);
  p.dst = IpAddress::v6(h + 24);
  p.ip_header = bytes.first(kHeaderBytes);
  p.ip_payload = bytes.subspan(kHeaderBytes, payload_bytes);
  p.payload = p.ip_payload;
  switch (h[6]) {
    case kTcp:
      decode_tcp(c, p, p.ip_payload);
      break;
    case kUdp:
      decode_udp(c, p, p.ip_payload);
      break;
    default:
      ExtensionWalk(c, p).run(h[6], p.ip_payload);
      break;
  }
  return true;
}

void decode_ipv4_in_ipv6(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.ipv4_in_ipv6;
  if (bytes.size() < kIpv4HeaderBytes) {
    c.invalid(p, PacketEvent::kIpv6Ipv4InIpv6TooSmall);
  } else if (bytes[0] >> 4 != 4) {
    c.invalid(p, PacketEvent::kIpv6Ipv4InIpv6WrongVersion);
  } else {
    decode_inner(c, p, TunnelKind::kIpInIp, bytes, decode_ipv4);
  }
}

void decode_ipv6_in_ipv6(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.ipv6_in_ipv6;
  if (bytes.size() < kHeaderBytes) {
    c.invalid(p, PacketEvent::kIpv6Ipv6InIpv6TooSmall);
  } else if (bytes[0] >> 4 != 6) {
    c.invalid(p, PacketEvent::kIpv6Ipv6InIpv6WrongVersion);
  } else {
    decode_inner(c, p, TunnelKind::kIpInIp, bytes, decode_ipv6);
  }
}

}  // namespace vong::decode
