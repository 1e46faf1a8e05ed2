// What decode asks of defragmentation. The interface lives here so that neither room knows the
// other: reassembly implements it, the worker hands it to the decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "sensor/packet/packet.h"

namespace vong {

class Defragmenter {
 public:
  virtual ~Defragmenter() = default;

  // How hosts with other policies read fragments that conflict: a frame as below, and a bit for each of their policies (of
  // reassembly::DefragPolicy).
  struct OtherReading {
    Bytes frame;
    uint8_t policies = 0;
  };
  // A datagram that is whole again. `frame` is what stood before the fragment's IP header in its
  // frame (link layer, tags), then an IP header without fragment fields at `ip_offset`, then the
  // payload; it lives until release(). Empty: not yet, or never.
  struct Datagram {
    Bytes frame;
    size_t ip_offset = 0;
    bool ambiguous = false;  // fragments overlapped with different content
    std::span<const OtherReading> others = {};  // each differs from `frame` and from the rest; lives as long
  };

  // What an IPv6 fragment has besides: `unfragmentable` stands between the fixed header and the
  // fragment header, `next_header` is what the fragment header says, `next_header_offset` the
  // place, from the fixed header's start, of the byte that named the fragment header.
  struct Ipv6Parts {
    Bytes unfragmentable;
    uint8_t next_header = 0;
    uint16_t next_header_offset = 6;
  };

  // `fragment` is decoded up to its IP header (ip, src, dst, ip_header, VLAN tags, tunnel depth);
  // ip_payload is what follows the IP header, of IPv6 the fragment header. Sets events on it.
  [[nodiscard]] virtual Datagram add_ipv4(Packet& fragment) = 0;
  [[nodiscard]] virtual Datagram add_ipv6(Packet& fragment, const Ipv6Parts& parts) = 0;
  // Nobody looks at the datagrams any more that were given since the last call.
  virtual void release() = 0;
};

}  // namespace vong
