// How the receiver's operating system resolves segments that overlap with different content
// (host-os-policy of the configuration; Novak and Sturges, "Target-Based TCP Stream Reassembly",
// 2007, describes the families). One rule a policy: does the new segment's byte replace the byte
// that an earlier segment brought? It is asked for each earlier segment that overlaps the new one.
//
//   policy                                        the new segment wins where it
//   first, vista                                  never
//   last                                          always
//   bsd, hpux10, irix, macos, windows, windows2k3, old-solaris   begins before the earlier one
//   linux                                         begins before it, or begins with it and ends
//   after it old-linux                                     begins before it, or begins with it and
//   does not end before it solaris, hpux11                               ends after it, or does not
//   end before it and does not begin after it bsd-right                                     begins
//   with or after the earlier one
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/settings.h"

namespace vong::reassembly {

enum class OsPolicy : uint8_t {
  kBsd,
  kBsdRight,
  kOldLinux,
  kLinux,
  kOldSolaris,
  kSolaris,
  kHpux10,
  kHpux11,
  kIrix,
  kMacos,
  kWindows,
  kVista,
  kWindows2k3,
  kFirst,
  kLast,
  kCount
};

[[nodiscard]] std::string_view name_of(OsPolicy policy);  // as host-os-policy spells it
[[nodiscard]] std::optional<OsPolicy> os_policy_by_name(std::string_view name);

// Half-open ranges of stream offsets.
[[nodiscard]] bool new_segment_wins(OsPolicy policy, uint64_t new_begin, uint64_t new_end,
                                    uint64_t old_begin, uint64_t old_end);

// host-os-policy: which address has which policy. The longest prefix decides; without any the
// reference's default, bsd.
class OsPolicyMap {
 public:
  // "192.168.0.0/16", "10.1.2.3", "2001:db8::/32", "any"; false when it is none of these or the map
  // is full.
  bool add(std::string_view network, OsPolicy policy);
  // Takes host-os-policy.<name>.<n>; without that section the reference's own: windows for
  // 0.0.0.0/0.
  [[nodiscard]] static OsPolicyMap from_settings(const Settings& settings);
  [[nodiscard]] OsPolicy of(const IpAddress& address) const;

 private:
  struct Network {
    IpAddress address;
    unsigned bits;
    OsPolicy policy;
  };
  std::vector<Network> networks_;  // longest first
};

}  // namespace vong::reassembly
