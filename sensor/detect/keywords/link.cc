// Layer 2: VLAN tags.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

// "<test>[, any|all|<layer>]"
MadeCondition make_vlan_id(std::string_view value) {
  const size_t comma = value.find(',');
  const std::string_view layer = comma == std::string_view::npos ? std::string_view() : rules::trim(value.substr(comma + 1));
  std::string_view number = rules::trim(value.substr(0, comma));
  const auto test = rules::parse_number_test(number, 4095);
  if (!test) return std::unexpected(test.error());
  int which = -1;   // any
  if (layer == "all") which = -2;
  else if (!layer.empty() && layer != "any") {
    const auto n = rules::parse_signed(layer, -kMaxVlanTags, kMaxVlanTags - 1);
    if (!n) return value_error(layer, "expected any, all or a layer from 0");
    which = *n < 0 ? 100 + static_cast<int>(-*n) : static_cast<int>(*n);
  }
  return condition([t = *test, which](Runtime& rt) {
    const Packet& p = *rt.packet;
    const int n = p.vlan_count;
    const auto id = [&](int i) { return static_cast<uint64_t>(p.vlan_tci[static_cast<size_t>(i)] & 0x0fff); };
    if (n == 0) return false;
    if (which == -1) {
      for (int i = 0; i < n; ++i) {
        if (t.matches(id(i))) return true;
      }
      return false;
    }
    if (which == -2) {
      for (int i = 0; i < n; ++i) {
        if (!t.matches(id(i))) return false;
      }
      return true;
    }
    const int i = which >= 100 ? n - (which - 100) : which;
    return i >= 0 && i < n && t.matches(id(i));
  });
}

std::optional<uint64_t> layers(const Packet& p) { return p.vlan_count; }

constexpr uint16_t kPacket = Keyword::kNeedsPacket;
constexpr Keyword kKeywords[] = {
    {"vlan.id", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_vlan_id, kPacket, "<number test>[, any|all|<layer>]", "Id of a VLAN tag."},
    {"vlan.layers", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<layers, kMaxVlanTags>, kPacket, "<number test>", "How many VLAN tags."},
};

}  // namespace

std::span<const Keyword> link_keywords() { return kKeywords; }

}  // namespace vong::detect
