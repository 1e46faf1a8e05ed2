#include "sensor/decode/decoder.h"

#include <algorithm>

#include "sensor/decode/layers.h"

namespace vong::decode {

Packet* Context::open_inner(Packet& outer, TunnelKind kind, Bytes frame) {
  if (packet_count >= packets.size()) {
    ++counters.tunnels_refused;
    return nullptr;
  }
  Packet& inner = packets[packet_count++];
  inner.reset();
  inner.ts = outer.ts;
  inner.number = outer.number;
  inner.interface = outer.interface;
  inner.frame = frame;
  inner.wire_len = static_cast<uint32_t>(frame.size());
  inner.link_type = LinkType::kRaw;
  inner.layers = outer.layers;
  inner.outer = &outer;
  inner.checksum_unready = outer.checksum_unready;
  inner.tunnel = kind;
  inner.tunnel_depth = outer.tunnel_depth;
  if (kind == TunnelKind::kDefrag) {  // the same datagram as its fragments: same place, same VLAN
    inner.is_defragmented = true;
    inner.vlan_count = outer.vlan_count;
    inner.vlan_tci = outer.vlan_tci;
    inner.has_mpls = outer.has_mpls;
    inner.mpls_label = outer.mpls_label;
  } else {
    ++inner.tunnel_depth;
  }
  return &inner;
}

bool Context::close_inner(Packet& outer, bool good) {
  if (!good) {
    --packet_count;
    ++counters.tunnels_refused;
    return false;
  }
  outer.no_payload_inspection = true;
  ++counters.tunnels;
  return true;
}

bool decode_inner(Context& c, Packet& outer, TunnelKind kind, Bytes frame, LayerDecoder decoder) {
  Packet* inner = c.open_inner(outer, kind, frame);
  return inner != nullptr && c.close_inner(outer, decoder(c, *inner, frame));
}

void decode_defragmented(Context& c, Packet& fragment, const Defragmenter::Datagram& datagram,
                         LayerDecoder decoder) {
  if (datagram.frame.empty()) return;
  ++c.counters.defragmented;
  c.release_datagrams = true;
  Packet* whole = c.open_inner(fragment, TunnelKind::kDefrag, datagram.frame);
  if (whole == nullptr) return;
  whole->ambiguous = datagram.ambiguous;
  // The link layer stands before the datagram, as the fragment had it.
  if (datagram.ip_offset ==
      static_cast<size_t>(fragment.ip_header.data() - fragment.frame.data())) {
    whole->link_type = fragment.link_type;
    whole->ether_type = fragment.ether_type;
    if (fragment.ethernet != nullptr) {
      whole->ethernet = datagram.frame.data() + (fragment.ethernet - fragment.frame.data());
    }
  }
  c.close_inner(fragment, decoder(c, *whole, datagram.frame.subspan(datagram.ip_offset)));
}

Decoder::Decoder(const Config& config, Defragmenter* defragmenter)
    : context_(std::make_unique<Context>(config, defragmenter)) {}
Decoder::~Decoder() = default;

const DecodeCounters& Decoder::counters() const { return context_->counters; }
const Config& Decoder::config() const { return context_->config; }

std::span<Packet* const> Decoder::decode(const RawPacket& raw) {
  Context& c = *context_;
  if (c.release_datagrams) {
    c.defragmenter->release();
    c.release_datagrams = false;
  }
  Packet& frame = c.packets[0];
  c.packet_count = 1;
  frame.reset();
  frame.ts = raw.ts;
  frame.number = raw.number;
  frame.frame = raw.data;
  frame.wire_len = raw.wire_len;
  frame.link_type = raw.link_type;
  frame.interface = raw.interface;
  frame.truncated = raw.wire_len > raw.data.size();
  frame.checksum_unready = raw.checksum_unready;
  if (raw.cut_by_ring) frame.events.set(PacketEvent::kAfpacketTruncPkt);
  if (raw.has_vlan_tci) {
    frame.vlan_tci[0] = raw.vlan_tci;
    frame.vlan_count = 1;
  }
  ++c.counters.pkts;
  c.counters.bytes += raw.data.size();
  c.counters.max_pkt_size = std::max<uint64_t>(c.counters.max_pkt_size, raw.data.size());

  decode_link(c, frame, raw.data);

  const size_t count = c.packet_count;
  for (size_t i = 0; i < count; ++i) {
    Packet& p = c.packets[i];
    order_[count - 1 - i] = &p;
    if (p.invalid) ++c.counters.invalid;
    for (const PacketEvent e : p.events) ++c.counters.events[static_cast<size_t>(e)];
  }
  return {order_.data(), count};
}

}  // namespace vong::decode
