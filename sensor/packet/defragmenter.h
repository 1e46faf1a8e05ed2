// What decode asks of defragmentation. The interface lives here so that neither room knows the other: reassembly implements it,
// the worker hands it to the decoder.
#pragma once

#include "base/bytes.h"
#include "sensor/packet/packet.h"

namespace vong {

class Defragmenter {
 public:
  virtual ~Defragmenter() = default;

  // `fragment` is decoded up to its IP header (ip, src, dst, ip_header, ip_payload, VLAN tags; IPv6: see below). Sets events on it.
  // When it completes its datagram, gives the whole of it: an IP header without fragment fields, then the payload. The bytes
  // live until the next call. Empty: not yet, or never.
  // IPv6: `unfragmentable` is what stands between the fixed header and the fragment header, `ip_payload` what follows the fragment
  // header, `next_header` what the fragment header says; the result has no fragment header. `last_next_header_offset` is the place in
  // (fixed header + unfragmentable) of the next-header byte that named the fragment header.
  struct Ipv6Parts {
    Bytes unfragmentable;
    uint8_t next_header = 0;
    uint16_t last_next_header_offset = 6;
  };
  [[nodiscard]] virtual Bytes add_ipv4(Packet& fragment) = 0;
  [[nodiscard]] virtual Bytes add_ipv6(Packet& fragment, const Ipv6Parts& parts) = 0;
};

}  // namespace vong
