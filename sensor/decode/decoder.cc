#include "sensor/decode/decoder.h"

#include <algorithm>

#include "sensor/decode/layers.h"

namespace vong::decode {

Packet* Context::open_inner(Packet& outer, TunnelKind kind, Bytes frame) {
  if (packet_count >= kMaxOwnPackets + other_readings || outer.other_reading != 0) {
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

namespace {

// It stands before the datagram, as the fragment had it.
void take_link_layer(Packet& whole, const Packet& fragment, size_t ip_offset) {
  if (ip_offset != static_cast<size_t>(fragment.ip_header.data() - fragment.frame.data())) return;
  whole.link_type = fragment.link_type;
  whole.ether_type = fragment.ether_type;
  if (fragment.ethernet != nullptr)
    whole.ethernet = whole.frame.data() + (fragment.ethernet - fragment.frame.data());
}

// Comes before the receiver's own reading in the pool, so after it in the order of treatment. Counts
// nowhere: on the wire it is the same datagram. Tunnels in it stay closed.
void decode_other_reading(Context& c, Packet& fragment, const Defragmenter::Datagram& datagram,
                          const Defragmenter::OtherReading& other, LayerDecoder decoder) {
  if (c.other_readings >= kMaxOtherReadings) return;
  const DecodeCounters before = c.counters;
  ++c.other_readings;
  Packet* p = c.open_inner(fragment, TunnelKind::kDefrag, other.frame);
  bool good = false;
  if (p != nullptr) {
    p->ambiguous = true;
    p->other_reading = other.policies;
    take_link_layer(*p, fragment, datagram.ip_offset);
    good = decoder(c, *p, other.frame.subspan(datagram.ip_offset)) && !p->invalid;
    if (!good) --c.packet_count;
  }
  if (!good) --c.other_readings;
  c.counters = before;
}

}  // namespace

void decode_defragmented(Context& c, Packet& fragment, const Defragmenter::Datagram& datagram,
                         LayerDecoder decoder) {
  if (datagram.frame.empty()) return;
  ++c.counters.defragmented;
  c.release_datagrams = true;
  for (const auto& other : datagram.others) decode_other_reading(c, fragment, datagram, other, decoder);
  Packet* whole = c.open_inner(fragment, TunnelKind::kDefrag, datagram.frame);
  if (whole == nullptr) return;
  whole->ambiguous = datagram.ambiguous;
  take_link_layer(*whole, fragment, datagram.ip_offset);
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
  c.other_readings = 0;
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
    if (p.other_reading != 0) continue;
    if (p.invalid) ++c.counters.invalid;
    for (const PacketEvent e : p.events) ++c.counters.events[static_cast<size_t>(e)];
  }
  return {order_.data(), count};
}

}  // namespace vong::decode
