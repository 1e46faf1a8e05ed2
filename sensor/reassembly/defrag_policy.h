// How a host puts fragments together that overlap, Novak, "Target-Based Fragmentation Reassembly"
// (2005): which of two fragments' bytes it keeps where both have some. Begin and end are those of
// the whole fragments, not of the part that overlaps. With three fragments the rule is asked for
// each pair in the order of arrival; tests/unit/sensor/reassembly states every outcome.
//
//   policy      the new fragment's bytes are kept when
//   first       never
//   last        always
//   bsd         it begins before the old one
//   bsd-right   it begins with the old one or after it
//   linux       it begins before the old one or with it
//   windows     it begins before the old one and ends after it
//   solaris     it begins before the old one and ends with it or after it
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vong::reassembly {

enum class DefragPolicy : uint8_t { kFirst, kLast, kBsd, kBsdRight, kLinux, kWindows, kSolaris };
inline constexpr int kDefragPolicies = 7;

[[nodiscard]] constexpr bool new_fragment_wins(DefragPolicy policy, uint32_t new_begin,
                                               uint32_t new_end, uint32_t old_begin,
                                               uint32_t old_end) {
  switch (policy) {
    case DefragPolicy::kFirst:
      return false;
    case DefragPolicy::kLast:
      return true;
    case DefragPolicy::kBsd:
      return new_begin < old_begin;
    case DefragPolicy::kBsdRight:
      return new_begin >= old_begin;
    case DefragPolicy::kLinux:
      return new_begin <= old_begin;
    case DefragPolicy::kWindows:
      return new_begin < old_begin && new_end > old_end;
    case DefragPolicy::kSolaris:
      return new_begin < old_begin && new_end >= old_end;
  }
  return false;
}

// The policy of an operating system as host-os-policy names it: bsd, hpux10, irix; bsd-right;
// old-linux, linux; first, old-solaris, hpux11, macos; solaris; windows, vista, windows2k3; last.
// Nothing for an unknown name.
[[nodiscard]] std::optional<DefragPolicy> defrag_policy_by_os(std::string_view os);
[[nodiscard]] std::string_view name_of(DefragPolicy policy);

}  // namespace vong::reassembly
