// What the flow table takes from the configuration (flow.*, flow-timeouts.*, vlan.use-for-tracking,
// decoder.recursion-level...).
#pragma once

#include <array>
#include <cstdint>

#include "base/settings.h"
#include "base/timestamp.h"

namespace vong::flow {

// Rows of flow-timeouts; SCTP, ESP and all else go by "default".
enum class TimeoutClass : uint8_t { kDefault, kTcp, kUdp, kIcmp, kCount };
inline constexpr size_t kTimeoutClasses = static_cast<size_t>(TimeoutClass::kCount);
inline constexpr size_t kFlowPhases = 4;

using TimeoutTable =
    std::array<std::array<Duration, kFlowPhases>, kTimeoutClasses>;  // [class][FlowPhase]

struct FlowConfig {
  uint64_t memcap_bytes = 128u << 20;
  unsigned emergency_recovery_percent =
      30;  // this share of the table free again ends emergency mode
  bool vlan_for_tracking = true;
  bool recursion_for_tracking = true;  // tunnel depth is part of the key
  uint64_t seed =
      0x9e3779b97f4a7c15;  // fixed offline (same bytes each run), random live: set by app
  TimeoutTable timeouts, emergency_timeouts;

  FlowConfig();  // the reference's defaults
  [[nodiscard]] static FlowConfig from_settings(const Settings& settings);
  [[nodiscard]] size_t max_flows() const;
};

}  // namespace vong::flow
