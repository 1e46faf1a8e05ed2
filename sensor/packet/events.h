// What can be odd about a packet: one enum for decoder and stream events, one table with the names that rules
// (`decode-event:ipv4.trunc_pkt`, `stream-event:est_synack_resend`) and anomaly records use. events.cc has the table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vong {

// One line an event in decode_events.def (filled by decode) and stream_events.def (filled by flow and reassembly):
// VONG_EVENT(enumerator, "name.as_rules_write_it"). The order is free: names are what others rely on.
enum class PacketEvent : uint16_t {
#define VONG_EVENT(id, name) id,
#include "sensor/packet/decode_events.def"
#include "sensor/packet/stream_events.def"
#undef VONG_EVENT
  kCount
};

// What one packet can hold; later ones are dropped (the reference's number: more say nothing new).
inline constexpr size_t kMaxEventsPerPacket = 15;

// In the order in which they were noticed; an event that is noticed twice (two bad options) stands there twice.
class PacketEvents {
 public:
  void set(PacketEvent e) {
    if (count_ < kMaxEventsPerPacket) events_[count_++] = e;
  }
  [[nodiscard]] bool has(PacketEvent e) const {
    for (uint8_t i = 0; i < count_; ++i) {
      if (events_[i] == e) return true;
    }
    return false;
  }
  [[nodiscard]] bool any() const { return count_ != 0; }
  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] const PacketEvent* begin() const { return events_.data(); }
  [[nodiscard]] const PacketEvent* end() const { return events_.data() + count_; }
  // Calls f(PacketEvent) for each.
  template <typename F>
  void for_each(F f) const {
    for (const PacketEvent e : *this) f(e);
  }
  void clear() { count_ = 0; }

 private:
  uint8_t count_ = 0;
  std::array<PacketEvent, kMaxEventsPerPacket> events_;  // the first count_ are set
};

inline constexpr size_t kPacketEventCount = static_cast<size_t>(PacketEvent::kCount);

struct PacketEventInfo {
  PacketEvent event;
  std::string_view name;    // "ipv4.trunc_pkt", "stream.est_synack_resend"
  bool is_stream = false;   // stream-event (anomaly type "stream") or decode-event (type "decode")
};

[[nodiscard]] const PacketEventInfo& info(PacketEvent event);
[[nodiscard]] std::optional<PacketEvent> packet_event_by_name(std::string_view name);
[[nodiscard]] std::span<const PacketEventInfo> all_packet_events();

}  // namespace vong
