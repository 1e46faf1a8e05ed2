#include "sensor/reassembly/os_policy.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sensor/reassembly/limits.h"

namespace vong::reassembly {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(OsPolicy::kCount)> kNames = {
    "bsd",  "bsd-right", "old-linux", "linux", "old-solaris", "solaris", "hpux10", "hpux11",
    "irix", "macos",     "windows",   "vista", "windows2k3",  "first",   "last"};

bool covers(Bytes network, Bytes address, unsigned bits) {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(network.begin(), network.begin() + whole, address.begin())) return false;
  return rest == 0 || ((network[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::string_view name_of(OsPolicy policy) { return kNames[static_cast<size_t>(policy)]; }

std::optional<OsPolicy> os_policy_by_name(std::string_view name) {
  const auto it = std::find(kNames.begin(), kNames.end(), name);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<OsPolicy>(it - kNames.begin());
}

bool new_segment_wins(OsPolicy policy, uint64_t new_begin, uint64_t new_end, uint64_t old_begin,
                      uint64_t old_end) {
  switch (policy) {
    case OsPolicy::kFirst:
    case OsPolicy::kVista:
      return false;
    case OsPolicy::kLast:
      return true;
    case OsPolicy::kBsd:
    case OsPolicy::kHpux10:
    case OsPolicy::kIrix:
    case OsPolicy::kMacos:
    case OsPolicy::kWindows:
    case OsPolicy::kWindows2k3:
    case OsPolicy::kOldSolaris:
      return new_begin < old_begin;
    case OsPolicy::kLinux:
      return new_begin < old_begin || (new_begin == old_begin && new_end > old_end);
    case OsPolicy::kOldLinux:
      return new_begin < old_begin || (new_begin == old_begin && new_end >= old_end);
    case OsPolicy::kSolaris:
    case OsPolicy::kHpux11:
      return new_end > old_end || (new_end == old_end && new_begin <= old_begin);
    case OsPolicy::kBsdRight:
      return new_begin >= old_begin;
    case OsPolicy::kCount:
      break;
  }
  return false;
}

bool OsPolicyMap::add(std::string_view network, OsPolicy policy) {
  if (networks_.size() >= kMaxOsPolicyNetworks) return false;
  std::string_view address = network, prefix;
  if (const size_t slash = network.find('/'); slash != network.npos) {
    address = network.substr(0, slash);
    prefix = network.substr(slash + 1);
  }
  if (network == "any") {
    return add("0.0.0.0/0", policy) && add("::/0", policy);
  }
  const auto ip = IpAddress::parse(address);
  if (!ip) return false;
  const unsigned width = ip->is_v4() ? 32 : 128;
  unsigned bits = width;
  if (prefix.data() != nullptr) {
    const auto [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), bits);
    if (error != std::errc() || end != prefix.data() + prefix.size() || bits > width) return false;
  }
  const auto at = std::upper_bound(networks_.begin(), networks_.end(), bits,
                                   [](unsigned b, const Network& n) { return b > n.bits; });
  networks_.insert(at, {*ip, bits, policy});
  return true;
}

OsPolicyMap OsPolicyMap::from_settings(const Settings& settings) {
  OsPolicyMap map;
  if (!settings.has("host-os-policy")) {
    map.add("0.0.0.0/0", OsPolicy::kWindows);
    return map;
  }
  for (size_t i = 0; i < kNames.size(); ++i) {
    const std::string path = "host-os-policy." + std::string(kNames[i]);
    for (const std::string& child : settings.children(path)) {
      // What does not parse is reported by the configuration check, which asks add() too.
      if (const auto text = settings.get(path + "." + child))
        map.add(*text, static_cast<OsPolicy>(i));
    }
  }
  return map;
}

OsPolicy OsPolicyMap::of(const IpAddress& address) const {
  for (const Network& n : networks_) {
    if (n.address.family() == address.family() &&
        covers(n.address.bytes(), address.bytes(), n.bits)) {
      return n.policy;
    }
  }
  return OsPolicy::kBsd;
}

}  // namespace vong::reassembly
