#include "sensor/app/settings_from_config.h"

#include <algorithm>
#include <array>
#include <string>

namespace vong::sensor {
namespace {

void flatten(const app::ConfigNode& node, const std::string& path, Settings& out) {
  if (node.is_scalar()) {
    out.set(path, node.raw());
  } else if (node.is_null()) {
    if (!path.empty()) out.set(path, "");
  } else if (node.is_list()) {
    for (size_t i = 0; i < node.items().size(); ++i)
      flatten(node.items()[i], path + "." + std::to_string(i), out);
  } else if (node.is_map()) {
    for (const auto& [key, child] : node.entries())
      flatten(child, path.empty() ? key : path + "." + key, out);
  }
}

// Sections of suricata.yaml that shape this sensor too.
constexpr std::array kRead = std::to_array<std::string_view>(
    {"vars", "default-rule-path", "rule-files", "classification-file", "reference-config-file",
     "threshold-file", "outputs", "app-layer", "stream", "defrag", "flow", "flow-timeouts",
     "host-os-policy", "af-packet", "pcap", "pcap-file", "datasets", "asn1-max-frames",
     "default-log-dir", "stats", "detect", "vlan", "decoder", "pcre", "sensor-name",
     "max-pending-packets", "pid-file", "run-as", "runmode", "reputation-categories-file",
     "default-reputation-path", "reputation-files", "exception-policy", "packet-alert-max",
     "action-order", "mpm-algo", "spm-algo", "host", "ippair", "engine-analysis", "threading",
     "include", "security", "default-packet-size", "legacy", "capture", "libmagic", "magic-file",
     "logging", "geoip-database", "multi-detect", "unix-command", "profiling", "coredump", "host-mode", "ips",
     // our own
     "kafka", "metrics", "workers", "rules", "ledger", "agency", "overload", "evidence", "status", "canary"});
// Known to Suricata's users, and without effect here.
constexpr std::array kNoEffect =
    std::to_array<std::string_view>({"suricata-version",
                                     "plugins",
                                     "nfq",
                                     "nflog",
                                     "netmap",
                                     "dpdk",
                                     "ipfw",
                                     "napatech",
                                     "pfring",
                                     "dag",
                                     "mpipe",
                                     "tile",
                                     "cuda",
                                     "luajit",
                                     "lua",
                                     "nsm",
                                     "windivert",
                                     "af-xdp",
                                     "http-body-inline",
                                     "default-protocol-detection-order",
                                     "detect-engine",
                                     "user-files"});

}  // namespace

Settings settings_from(const app::ConfigNode& root) {
  Settings out;
  flatten(root, "", out);
  return out;
}

void check_sections(const app::ConfigNode& root, app::Problems& problems) {
  std::vector<std::string_view> names(kRead.begin(), kRead.end());
  for (const auto& [key, node] : root.entries()) {
    if (std::find(kRead.begin(), kRead.end(), key) != kRead.end()) continue;
    if (std::find(kNoEffect.begin(), kNoEffect.end(), key) != kNoEffect.end()) {
      problems.warning(node.place(), "section '" + key + "' has no effect in this sensor");
      continue;
    }
    const auto near = app::nearest_name(key, names);
    problems.warning(node.place(),
                     "unknown section '" + key + "'" +
                         (near.empty() ? "" : ", did you mean '" + std::string(near) + "'?"));
  }
}

}  // namespace vong::sensor
