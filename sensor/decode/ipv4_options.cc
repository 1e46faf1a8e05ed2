// IPv4 options, RFC 791 3.1; RFC 1108 (security), 2113 (router alert), 4782 (quick start), CIPSO
// (FIPS 188).
//
//   type(1) length(1) data; types 0 (end) and 1 (no operation) are single bytes
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

enum Option : uint8_t {
  kEnd = 0,
  kNop = 1,
  kRecordRoute = 0x07,
  kQuickStart = 0x19,
  kTimestamp = 0x44,
  kSecurity = 0x82,
  kLooseRoute = 0x83,
  kExtendedSecurity = 0x85,
  kCipso = 0x86,
  kStreamId = 0x88,
  kStrictRoute = 0x89,
  kRouterAlert = 0x94,
};

struct OptionChecker {
  Context& c;
  Packet& p;
  uint64_t seen[4] = {};  // a bit a type

  void bad(PacketEvent e) { c.invalid(p, e); }
  bool duplicate(uint8_t type) {
    uint64_t& word = seen[type / 64];
    const uint64_t bit = uint64_t{1} << (type % 64);
    const bool was = (word & bit) != 0;
    word |= bit;
    return was;
  }

  // data: after type and length. The pointer counts from the type's byte, 1-based.
  void route(Bytes data) {
    if (data.empty()) return bad(PacketEvent::kIpv4OptInvalidLen);
    const unsigned pointer = data[0], length = static_cast<unsigned>(data.size()) + 2;
    if (pointer < 4 || pointer % 4 != 0 || pointer > length + 1)
      bad(PacketEvent::kIpv4OptMalformed);
  }
  void timestamp(Bytes data) {
    if (data.size() < 2) return bad(PacketEvent::kIpv4OptInvalidLen);
    const unsigned pointer = data[0], flag = data[1] & 0x0f,
                   length = static_cast<unsigned>(data.size()) + 2;
    const unsigned entry_bytes = flag == 0 ? 4 : 8;
    if (pointer < 5 || pointer > length + 1 || (pointer - 5) % entry_bytes != 0 ||
        (flag != 0 && flag != 1 && flag != 3)) {
      bad(PacketEvent::kIpv4OptMalformed);
    }
  }
  // domain of interpretation(4), then tags: type(1) length(1) ...
  void cipso(Bytes data) {
    if (data.size() < 6) return bad(PacketEvent::kIpv4OptInvalidLen);
    if (load_u32(data.data()) == 0) return bad(PacketEvent::kIpv4OptMalformed);
    for (Bytes tags = data.subspan(4); !tags.empty();) {
      if (tags.size() < 2 || tags[1] < 2 || tags[1] > tags.size())
        return bad(PacketEvent::kIpv4OptMalformed);
      tags = tags.subspan(tags[1]);
    }
  }
  void exact(Bytes data, size_t bytes) {
    if (data.size() != bytes) bad(PacketEvent::kIpv4OptInvalidLen);
  }

  void option(uint8_t type, Bytes data) {
    switch (type) {
      case kRecordRoute:
      case kQuickStart:
      case kTimestamp:
      case kSecurity:
      case kLooseRoute:
      case kExtendedSecurity:
      case kCipso:
      case kStreamId:
      case kStrictRoute:
      case kRouterAlert:
        break;
      default:
        return bad(PacketEvent::kIpv4OptInvalid);
    }
    if (duplicate(type)) {
      p.events.set(PacketEvent::kIpv4OptDuplicate);
      return;
    }
    switch (type) {
      case kRecordRoute:
      case kLooseRoute:
      case kStrictRoute:
        return route(data);
      case kTimestamp:
        return timestamp(data);
      case kCipso:
        return cipso(data);
      case kQuickStart:
        return exact(data, 6);
      case kSecurity:
        return exact(data, 9);
      case kExtendedSecurity:
        if (data.empty()) bad(PacketEvent::kIpv4OptInvalidLen);
        return;
      default:
        return exact(data, 2);  // stream id, router alert
    }
  }
};

}  // namespace

void decode_ipv4_options(Context& c, Packet& p, Bytes options) {
  OptionChecker checker{c, p};
  if (options.size() % 8 != 0) p.events.set(PacketEvent::kIpv4OptPadRequired);
  for (size_t i = 0; i < options.size();) {
    const uint8_t type = options[i];
    if (type == kEnd) return;
    if (type == kNop) {
      ++i;
      continue;
    }
    const size_t left = options.size() - i;
    if (left < 2) {
      p.events.set(PacketEvent::kIpv4OptEolRequired);
      return;
    }
    const uint8_t length = options[i + 1];
    if (length < 2 || length > left) return checker.bad(PacketEvent::kIpv4OptInvalidLen);
    checker.option(type, options.subspan(i + 2, length - 2u));
    i += length;
  }
}

}  // namespace vong::decode
