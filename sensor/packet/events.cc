#include "sensor/packet/events.h"

#include <array>

#include "absl/container/flat_hash_map.h"

namespace vong {
namespace {

constexpr auto kTable = std::to_array<PacketEventInfo>({
#define VONG_EVENT(id, name) {PacketEvent::id, name, false},
#include "sensor/packet/decode_events.def"
#undef VONG_EVENT
#define VONG_EVENT(id, name) {PacketEvent::id, name, true},
#include "sensor/packet/stream_events.def"
#undef VONG_EVENT
});
static_assert(kTable.size() == static_cast<size_t>(PacketEvent::kCount));

}  // namespace

const PacketEventInfo& info(PacketEvent event) { return kTable[static_cast<size_t>(event)]; }

std::span<const PacketEventInfo> all_packet_events() { return kTable; }

std::optional<PacketEvent> packet_event_by_name(std::string_view name) {
  static const auto* const by_name = [] {
    auto* map = new absl::flat_hash_map<std::string_view, PacketEvent>();
    for (const auto& e : kTable) map->emplace(e.name, e.event);
    return map;
  }();
  const auto it = by_name->find(name);
  if (it == by_name->end()) return std::nullopt;
  return it->second;
}

}  // namespace vong
