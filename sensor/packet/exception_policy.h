// What happens to traffic that the sensor cannot follow as it should: a memory cap is reached, a connection was met in the
// middle, a parser gave up (the reference's `exception-policy` and the keys beside it). A passive sensor drops nothing: what asks
// for dropping counts as "ignore".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/settings.h"

namespace vong {

enum class ExceptionTarget : uint8_t {
  kStreamMemcap, kStreamReassembly, kStreamMidstream, kFlowMemcap, kDefragMemcap, kAppLayerError, kCount
};
inline constexpr size_t kExceptionTargets = static_cast<size_t>(ExceptionTarget::kCount);
[[nodiscard]] std::string_view name_of(ExceptionTarget target);   // EVE's flow.exception_policy[].target

enum class ExceptionPolicy : uint8_t {
  kIgnore,       // go on as well as possible
  kPassPacket,   // no rule looks at this packet
  kPassFlow,     // no rule looks at this flow; it is parsed and logged
  kBypass,       // the flow is not looked at any more at all
};
inline constexpr size_t kExceptionPolicyCount = 4;
[[nodiscard]] std::string_view name_of(ExceptionPolicy policy);   // "ignore", "pass_packet", "pass_flow", "bypass"

// One policy a target: its own key, else the master switch, else "ignore".
class ExceptionPolicies {
 public:
  ExceptionPolicies() = default;
  [[nodiscard]] static ExceptionPolicies from_settings(const Settings& settings);
  [[nodiscard]] ExceptionPolicy of(ExceptionTarget t) const { return policy_[static_cast<size_t>(t)]; }

 private:
  std::array<ExceptionPolicy, kExceptionTargets> policy_{};
};

// How often what was applied: EVE's stats.exception_policy.
using ExceptionCounters = std::array<uint64_t, kExceptionPolicyCount>;

}  // namespace vong
