// defrag.* of the configuration, and the names of defragmentation policies.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/reassembly/ip_defrag.h"
#include "sensor/reassembly/os_policy.h"

namespace vong::reassembly {
namespace {

constexpr std::array<std::string_view, kDefragPolicies> kNames = {
    "first", "last", "bsd", "bsd-right", "linux", "windows", "solaris"};

void add_network(DefragConfig& config, std::string_view text, Duration timeout) {
  text = strip(text);
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address || config.host_timeouts.size() >= kMaxHostTimeouts) return;
  const unsigned width = address->is_v4() ? 32 : 128;
  unsigned bits = width;
  if (slash != text.npos) {
    const auto prefix = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), bits);
    if (error != std::errc() || end != prefix.data() + prefix.size() || bits > width) return;
  }
  config.host_timeouts.push_back({*address, bits, timeout});
}

// One entry of defrag.host-config:  - dmz: { timeout: 30, address: [192.168.1.0/24, ...] }
void add_host_config(DefragConfig& config, const Settings& settings, const std::string& path) {
  const Duration timeout =
      std::chrono::seconds(std::clamp<int64_t>(settings.integer(path + ".timeout", 60), 1, 86'400));
  const std::string addresses = path + ".address";
  if (const auto text = settings.get(addresses)) {
    std::string_view list = strip(*text);
    if (list.starts_with('[')) list.remove_prefix(1);
    if (list.ends_with(']')) list.remove_suffix(1);
    for (const auto part : split(list, ',')) add_network(config, part, timeout);
  }
  for (const auto& child : settings.children(addresses)) {
    add_network(config, settings.text(addresses + "." + child, ""), timeout);
  }
}

}  // namespace

std::optional<DefragPolicy> defrag_policy_by_os(std::string_view os) {
  if (os == "bsd" || os == "hpux10" || os == "irix") return DefragPolicy::kBsd;
  if (os == "bsd-right") return DefragPolicy::kBsdRight;
  if (os == "linux" || os == "old-linux") return DefragPolicy::kLinux;
  if (os == "first" || os == "old-solaris" || os == "hpux11" || os == "macos")
    return DefragPolicy::kFirst;
  if (os == "solaris") return DefragPolicy::kSolaris;
  if (os == "windows" || os == "vista" || os == "windows2k3") return DefragPolicy::kWindows;
  if (os == "last") return DefragPolicy::kLast;
  return std::nullopt;
}

std::string_view name_of(DefragPolicy policy) { return kNames[static_cast<size_t>(policy)]; }

DefragConfig DefragConfig::from(const Settings& settings) {
  DefragConfig config;
  const auto count = [&](const char* path, uint32_t fallback) {
    return static_cast<uint32_t>(
        std::clamp<int64_t>(settings.integer(path, fallback), 1, 100'000'000));
  };
  config.memcap_bytes = settings.size_bytes("defrag.memcap", config.memcap_bytes);
  config.max_trackers = count("defrag.trackers", config.max_trackers);
  config.max_fragments = count("defrag.max-frags", config.max_fragments);
  config.timeout =
      std::chrono::seconds(std::clamp<int64_t>(settings.integer("defrag.timeout", 60), 1, 86'400));
  config.other_readings = settings.flag("detect.other-readings.enabled", false);
  config.vlan_tracking = settings.flag("vlan.use-for-tracking", true);
  for (const auto& entry : settings.children("defrag.host-config")) {
    for (const auto& name : settings.children("defrag.host-config." + entry)) {
      add_host_config(config, settings, "defrag.host-config." + entry + "." + name);
    }
  }
  // The most special network decides.
  std::stable_sort(config.host_timeouts.begin(), config.host_timeouts.end(),
                   [](const HostTimeout& a, const HostTimeout& b) { return a.bits > b.bits; });
  config.policy_of = [map = OsPolicyMap::from_settings(settings)](const IpAddress& host) {
    return defrag_policy_by_os(name_of(map.of(host))).value_or(DefragPolicy::kBsd);
  };
  return config;
}

}  // namespace vong::reassembly
