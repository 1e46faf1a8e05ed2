// A decoded packet: views into the captured bytes and the fields that rules ask for. Filled by decode, annotated by flow,
// reassembly and detect, owned by the worker and used again for the next packet. No behaviour but small accessors.
//
// Lifetime: every view points into the captured frame (or into a defragmentation buffer) and dies with the packet's turn.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/timestamp.h"
#include "sensor/packet/events.h"
#include "sensor/packet/types.h"

namespace vong {

namespace flow {
struct Flow;
}

// RFC 9293 3.1; bits as on the wire.
struct TcpFlags {
  static constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20, kEce = 0x40, kCwr = 0x80;
};

struct TcpFields {
  uint32_t seq = 0, ack = 0;
  uint16_t window = 0, urgent = 0, checksum = 0;
  uint8_t flags = 0;          // TcpFlags
  uint8_t reserved = 0;       // the four bits after the data offset
  bool has_mss = false, has_wscale = false, sack_permitted = false, has_timestamps = false, has_fast_open = false, has_md5 = false,
       has_ao = false;
  uint16_t mss = 0;
  uint8_t wscale = 0;
  uint32_t ts_value = 0, ts_echo = 0;
  Bytes sack;                 // 8 bytes a block
  Bytes options;              // raw
};

struct IpFields {
  uint8_t version = 0;        // 4, 6; 0: not IP
  uint8_t protocol = 0;       // of the transport, after IPv6 extension headers
  uint8_t ttl = 0, tos = 0;   // IPv6: hop limit, traffic class
  uint32_t id = 0;            // IPv4 identification; IPv6: of the fragment header
  bool dont_fragment = false, more_fragments = false, reserved_bit = false, is_fragment = false;
  uint16_t fragment_offset_bytes = 0;
  uint32_t flow_label = 0;
  Bytes options;              // IPv4
};

struct IcmpFields {
  uint8_t type = 0, code = 0;
  bool has_id_seq = false;
  uint16_t id = 0, seq = 0;
  uint32_t mtu = 0;           // ICMPv6 packet too big
  // The packet inside an error message, as far as it is there: for finding the flow it speaks of.
  bool has_embedded = false;
  uint8_t embedded_protocol = 0;
  IpAddress embedded_src, embedded_dst;
  uint16_t embedded_sport = 0, embedded_dport = 0;
};

struct ArpFields {
  uint16_t hw_type = 0, proto_type = 0, opcode = 0;
  Bytes src_mac, dst_mac;
  IpAddress src_ip, dst_ip;
};

inline constexpr int kMaxVlanTags = 3;

// What carried an inner packet. kDefrag: it was put together from fragments, which stand at the same depth. (MPLS, PPPoE, NSH and
// the like are layers of one packet, as in the reference, not tunnels.)
enum class TunnelKind : uint8_t { kNone, kIpInIp, kGre, kErspan, kTeredo, kVxlan, kGeneve, kDefrag, kOther };

struct Packet {
  // --- where it comes from
  Timestamp ts;
  uint64_t number = 0;                     // EVE's pcap_cnt; the same for packets out of one frame
  Bytes frame;                             // captured bytes; of an inner packet: from its first header on
  uint32_t wire_len = 0;
  LinkType link_type = LinkType::kEthernet;
  uint16_t interface = 0;
  bool truncated = false;                  // the capture holds less than the wire had
  bool is_defragmented = false;            // put together from fragments
  bool checksum_unready = false;           // the card fills the transport checksum in after us: it is never wrong
  bool ambiguous = false;                  // fragments or segments overlapped with different content: others may read it differently
  uint8_t other_reading = 0;               // so put together only by hosts with other policies than the receiver's, a bit each: looked at, not followed
  bool is_pseudo = false;                  // made by the sensor at a flow's end: no bytes of its own
  uint8_t tunnel_depth = 0;                // 0: as on the wire
  TunnelKind tunnel = TunnelKind::kNone;   // what carried it
  uint8_t layers = 0;                      // headers decoded so far, those of its carriers too
  const Packet* outer = nullptr;           // the carrier, during the inner packet's turn

  // --- layer 2
  const uint8_t* ethernet = nullptr;       // 14 bytes, or null
  uint16_t ether_type = 0;                 // after VLAN tags
  uint8_t vlan_count = 0;
  std::array<uint16_t, kMaxVlanTags> vlan_tci{};   // outer first, host order
  uint32_t mpls_label = 0;
  bool has_mpls = false;
  std::optional<ArpFields> arp;
  Bytes arp_packet;                        // from the ARP header to the frame's end

  // --- layer 3 and 4
  IpFields ip;
  IpAddress src, dst;
  uint16_t sport = 0, dport = 0;           // TCP, UDP, SCTP; else 0
  Bytes ip_header;                         // with options; IPv6: with the extension headers
  Bytes ip_payload;
  Bytes transport_header;                  // TCP with options, UDP, ICMP, SCTP, ...
  Bytes payload;                           // after the transport header; of other protocols: after the IP header
  bool is_tcp = false, is_udp = false, is_icmp4 = false, is_icmp6 = false, is_sctp = false;
  TcpFields tcp;
  IcmpFields icmp;
  uint16_t udp_len = 0;
  bool is_esp = false;
  uint32_t esp_spi = 0;
  bool wants_flow = false;                 // belongs into the flow table: its TCP, UDP, SCTP, ICMP or ESP header is good; no fragments. Independent
                                           // of `invalid`: bad IP options spoil the packet, not its flow
  bool checksum_bad_ip = false, checksum_bad_transport = false;   // set when checked and wrong

  // --- what decode and reassembly noticed (decode-event, stream-event)
  PacketEvents events;
  bool invalid = false;                    // a header was unusable: no flow, packet rules on events only

  // --- flow, set by the worker
  flow::Flow* flow = nullptr;
  Direction direction = Direction::kToServer;
  bool flow_established = false;           // as `flow:established` sees it at this packet
  bool no_payload_inspection = false;      // retransmission, bypass
  bool payload_in_stream = false;          // the TCP engine keeps its payload (as far as it keeps any): inspected as stream, not by itself
  bool no_inspection = false;              // an exception policy: no rule looks at it
  bool stream_rejected = false;            // the TCP engine did not accept its data (out of window, bad checksum ...)

  // Ready for the next frame: as new.
  inline void reset();
};

static_assert(std::is_trivially_copyable_v<Packet>);

namespace packet_detail {

using Block __attribute__((vector_size(32), aligned(1), may_alias)) = uint64_t;

template <size_t... I>
inline void zero_blocks(unsigned char* p, std::index_sequence<I...>) {
  ((*reinterpret_cast<Block*>(p + I * sizeof(Block)) = Block{}), ...);
}

}  // namespace packet_detail

// Once a packet, so it counts: compilers make of `*this = Packet()` and of memset() a `rep stos`, whose start alone costs more than
// these stores. A new packet is zeros but for the link type; the test PacketReset holds that.
inline void Packet::reset() {
  constexpr size_t kBlocks = sizeof(Packet) / sizeof(packet_detail::Block);
  auto* p = reinterpret_cast<unsigned char*>(this);
  packet_detail::zero_blocks(p, std::make_index_sequence<kBlocks>());
  // The rest with a block that overlaps the last one.
  *reinterpret_cast<packet_detail::Block*>(p + sizeof(Packet) - sizeof(packet_detail::Block)) = packet_detail::Block{};
  link_type = LinkType::kEthernet;
}

}  // namespace vong
