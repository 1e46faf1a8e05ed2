// What can be odd about a packet: one enum for decoder and stream events, one table with the names that rules
// (`decode-event:ipv4.trunc_pkt`, `stream-event:est_synack_resend`) and anomaly records use. events.cc has the table.
#pragma once

#include <bitset>
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

inline constexpr size_t kMaxPacketEvents = 384;

class PacketEvents {
 public:
  void set(PacketEvent e) { bits_.set(static_cast<size_t>(e)); any_ = true; }
  [[nodiscard]] bool has(PacketEvent e) const { return any_ && bits_.test(static_cast<size_t>(e)); }
  [[nodiscard]] bool any() const { return any_; }
  // Calls f(PacketEvent) for each, lowest first.
  template <typename F>
  void for_each(F f) const {
    if (!any_) return;
    for (size_t i = bits_._Find_first(); i < bits_.size(); i = bits_._Find_next(i)) f(static_cast<PacketEvent>(i));
  }

 private:
  bool any_ = false;
  std::bitset<kMaxPacketEvents> bits_;
};

static_assert(static_cast<size_t>(PacketEvent::kCount) <= kMaxPacketEvents);

struct PacketEventInfo {
  PacketEvent event;
  std::string_view name;    // "ipv4.trunc_pkt", "stream.est_synack_resend"
  bool is_stream = false;   // stream-event (anomaly type "stream") or decode-event (type "decode")
};

[[nodiscard]] const PacketEventInfo& info(PacketEvent event);
[[nodiscard]] std::optional<PacketEvent> packet_event_by_name(std::string_view name);
[[nodiscard]] std::span<const PacketEventInfo> all_packet_events();

}  // namespace vong
