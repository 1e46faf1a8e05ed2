// Frames to packets: every header from the link layer to the transport layer, tunnels opened,
// fragments put together.
//
// One decoder belongs to one worker. No allocation and no copy on the way: packets are views into
// the frame.
#pragma once

#include <memory>
#include <span>

#include "sensor/decode/config.h"
#include "sensor/decode/counters.h"
#include "sensor/packet/defragmenter.h"
#include "sensor/packet/packet.h"

namespace vong::decode {

class Context;

class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void on_packet(Packet& packet) = 0;
};

class Decoder {
 public:
  // `defragmenter` may be null (fragments stay fragments) and must outlive the decoder.
  explicit Decoder(const Config& config, Defragmenter* defragmenter = nullptr);
  ~Decoder();

  // All packets of the frame, to be treated in this order, which is the reference's: what a tunnel
  // carried (or fragments made up) comes before its carrier, innermost first; the frame itself is
  // the last. Never empty. `Packet::outer` links each to its carrier. The packets live until the
  // next call, their views as long as raw.data (and, of defragmented ones, until the next call).
  // Callers may change the packets.
  [[nodiscard]] std::span<Packet* const> decode(const RawPacket& raw);
  void decode(const RawPacket& raw, PacketSink& sink) {
    for (Packet* packet : decode(raw)) sink.on_packet(*packet);
  }

  [[nodiscard]] const DecodeCounters& counters() const;
  [[nodiscard]] const Config& config() const;

 private:
  std::unique_ptr<Context> context_;
  std::array<Packet*, kMaxPacketsPerFrame> order_{};
};

}  // namespace vong::decode
