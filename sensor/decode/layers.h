// The decoders of single headers, each in the file of its name (sensor/decode/ipv4.cc ...). Each
// takes the bytes from its header to the end of what carries it, fills the packet, notes events,
// and calls the next one. The result is false when its own header was unusable: what carried it
// then knows that there was no such packet (a tunnel's guess was wrong); what comes after a good
// header never makes it false. Internal to this room.
#pragma once

#include "sensor/decode/context.h"

namespace vong::decode {

// Link layers (https://www.tcpdump.org/linktypes.html).
bool decode_link(Context& c, Packet& p, Bytes bytes);      // by p.link_type
bool decode_ethernet(Context& c, Packet& p, Bytes bytes);  // IEEE 802.3
bool decode_sll(Context& c, Packet& p, Bytes bytes);       // Linux cooked capture
bool decode_sll2(Context& c, Packet& p, Bytes bytes);      // the same, version 2
bool decode_null(Context& c, Packet& p,
                 Bytes bytes);  // BSD loopback: address family in either byte order
bool decode_raw_ip(Context& c, Packet& p, Bytes bytes);  // IPv4 or IPv6 by the version
bool decode_chdlc(Context& c, Packet& p, Bytes bytes);   // Cisco HDLC
bool decode_ppp(Context& c, Packet& p, Bytes bytes);     // RFC 1661, 1662

// Between link and network layer. decode_ether_type: false when nobody reads that type.
bool decode_ether_type(Context& c, Packet& p, uint16_t type, Bytes bytes);
[[nodiscard]] bool known_ether_type(uint16_t type);
bool decode_vlan(Context& c, Packet& p, Bytes bytes);  // IEEE 802.1Q, 802.1ad: after the first type
bool decode_ieee8021ah(Context& c, Packet& p, Bytes bytes);     // provider backbone bridges
bool decode_vntag(Context& c, Packet& p, Bytes bytes);          // Cisco VN-Tag
bool decode_dce(Context& c, Packet& p, Bytes bytes);            // Cisco FabricPath
bool decode_mpls(Context& c, Packet& p, Bytes bytes);           // RFC 3032, 4385, 4448
bool decode_nsh(Context& c, Packet& p, Bytes bytes);            // RFC 8300
bool decode_pppoe_session(Context& c, Packet& p, Bytes bytes);  // RFC 2516
bool decode_pppoe_discovery(Context& c, Packet& p, Bytes bytes);
bool decode_ppp_protocol(Context& c, Packet& p, uint16_t protocol, Bytes bytes);
bool decode_arp(Context& c, Packet& p, Bytes bytes);  // RFC 826

// Network layer.
bool decode_ipv4(Context& c, Packet& p, Bytes bytes);  // RFC 791
void decode_ipv4_options(Context& c, Packet& p, Bytes options);
bool decode_ipv6(Context& c, Packet& p, Bytes bytes);  // RFC 8200
void decode_ipv4_in_ipv6(Context& c, Packet& p, Bytes bytes);
void decode_ipv6_in_ipv6(Context& c, Packet& p, Bytes bytes);

// Transport layer.
bool decode_tcp(Context& c, Packet& p, Bytes bytes);     // RFC 9293
bool decode_udp(Context& c, Packet& p, Bytes bytes);     // RFC 768
bool decode_sctp(Context& c, Packet& p, Bytes bytes);    // RFC 9260
bool decode_icmpv4(Context& c, Packet& p, Bytes bytes);  // RFC 792
bool decode_icmpv6(Context& c, Packet& p, Bytes bytes);  // RFC 4443, 4861, 2710, 3810
void decode_embedded_ports(IcmpFields& icmp, Bytes transport);
bool decode_igmp(Context& c, Packet& p, Bytes bytes);  // RFC 2236, 3376
bool decode_esp(Context& c, Packet& p, Bytes bytes);   // RFC 4303

// Tunnels: open packets of their own.
bool decode_gre(Context& c, Packet& p, Bytes bytes);  // RFC 1701, 2784, 2890, 2637 (PPTP)
bool decode_erspan(Context& c, Packet& p,
                   Bytes bytes);  // Cisco ERSPAN II and III: the inner packet's first header
bool decode_vxlan(Context& c, Packet& p, Bytes bytes);   // RFC 7348
bool decode_geneve(Context& c, Packet& p, Bytes bytes);  // RFC 8926
bool decode_teredo(Context& c, Packet& p, Bytes bytes);  // RFC 4380

// Opens an inner packet of `frame`, decodes it with `decoder`, and keeps it when that worked.
using LayerDecoder = bool (*)(Context&, Packet&, Bytes);
bool decode_inner(Context& c, Packet& outer, TunnelKind kind, Bytes frame, LayerDecoder decoder);
// The same for a datagram that `fragment` completed; empty: it completed none.
void decode_defragmented(Context& c, Packet& fragment, const Defragmenter::Datagram& datagram,
                         LayerDecoder decoder);

}  // namespace vong::decode
