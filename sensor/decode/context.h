// What the decoders of single headers share during one frame. Internal to this room.
#pragma once

#include <array>
#include <cstdint>

#include "sensor/decode/config.h"
#include "sensor/decode/counters.h"
#include "sensor/decode/limits.h"
#include "sensor/packet/defragmenter.h"
#include "sensor/packet/packet.h"

namespace vong::decode {

[[nodiscard]] inline uint16_t load_u16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] << 8 | p[1]);
}
[[nodiscard]] inline uint32_t load_u32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 |
         static_cast<uint32_t>(p[2]) << 8 | p[3];
}

class Context {
 public:
  Context(const Config& settings, Defragmenter* fragments)
      : config(settings), defragmenter(fragments) {}

  const Config config;
  DecodeCounters counters;
  Defragmenter* const defragmenter;  // null: fragments stay fragments

  // A header is unusable: this packet is invalid. False, so that decoders can return it.
  bool invalid(Packet& p, PacketEvent e) {
    p.events.set(e);
    p.invalid = true;
    return false;
  }

  // To be called once a header: false when the packet has too many of them already.
  [[nodiscard]] bool enter_layer(Packet& p) {
    if (++p.layers < config.max_layers) return true;
    ++counters.too_many_layers;
    return invalid(p, PacketEvent::kTooManyLayers);
  }

  // A packet of its own, carried by `outer`, whose bytes are `frame`. Null: too many. The caller
  // decodes it and says close_inner() with the result.
  [[nodiscard]] Packet* open_inner(Packet& outer, TunnelKind kind, Bytes frame);
  // `good` false: it was no packet after all, nobody sees it. True: the carrier's payload is not
  // inspected by itself any more.
  bool close_inner(Packet& outer, bool good);

  // The frame's packets, the frame itself first, each carried by the one before it.
  std::array<Packet, kMaxPacketsPerFrame> packets;
  size_t packet_count = 0;
  size_t other_readings = 0;       // of them
  bool release_datagrams = false;  // the defragmenter holds some for this frame
};

}  // namespace vong::decode
