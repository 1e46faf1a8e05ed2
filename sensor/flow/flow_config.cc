#include "sensor/flow/flow_config.h"

#include <algorithm>
#include <string>

#include "sensor/flow/flow.h"
#include "sensor/flow/limits.h"

namespace vong::flow {
namespace {

using std::chrono::seconds;

constexpr std::array<const char*, kTimeoutClasses> kClassNames = {"default", "tcp", "udp", "icmp"};
constexpr std::array<const char*, kFlowPhases> kPhaseNames = {"new", "established", "closed",
                                                              "bypassed"};
constexpr int64_t kMaxTimeoutSeconds = 10 * 365 * 86400;

void read_timeouts(const Settings& settings, const std::string& prefix, TimeoutTable& table) {
  for (size_t c = 0; c < kTimeoutClasses; ++c) {
    for (size_t phase = 0; phase < kFlowPhases; ++phase) {
      const auto path =
          std::string("flow-timeouts.") + kClassNames[c] + "." + prefix + kPhaseNames[phase];
      const int64_t before = std::chrono::duration_cast<seconds>(table[c][phase]).count();
      table[c][phase] =
          seconds(std::clamp<int64_t>(settings.integer(path, before), 0, kMaxTimeoutSeconds));
    }
  }
}

}  // namespace

FlowConfig::FlowConfig() {
  timeouts = {{{seconds(30), seconds(300), seconds(0), seconds(100)},
               {seconds(60), seconds(600), seconds(60), seconds(100)},
               {seconds(30), seconds(300), seconds(0), seconds(100)},
               {seconds(30), seconds(300), seconds(0), seconds(100)}}};
  emergency_timeouts = {{{seconds(10), seconds(100), seconds(0), seconds(50)},
                         {seconds(5), seconds(100), seconds(10), seconds(50)},
                         {seconds(10), seconds(100), seconds(0), seconds(50)},
                         {seconds(10), seconds(100), seconds(0), seconds(50)}}};
}

FlowConfig FlowConfig::from_settings(const Settings& settings) {
  FlowConfig c;
  c.memcap_bytes = settings.size_bytes("flow.memcap", c.memcap_bytes);
  c.emergency_recovery_percent = static_cast<unsigned>(std::clamp<int64_t>(
      settings.integer("flow.emergency-recovery", c.emergency_recovery_percent), 1, 100));
  c.vlan_for_tracking = settings.flag("vlan.use-for-tracking", c.vlan_for_tracking);
  c.recursion_for_tracking =
      settings.flag("decoder.recursion-level.use-for-tracking", c.recursion_for_tracking);
  read_timeouts(settings, "", c.timeouts);
  read_timeouts(settings, "emergency-", c.emergency_timeouts);
  return c;
}

size_t FlowConfig::max_flows() const {
  return std::clamp<size_t>(memcap_bytes / (sizeof(Flow) + kIndexBytesPerFlow), kMinFlows,
                            kMaxFlows);
}

}  // namespace vong::flow
