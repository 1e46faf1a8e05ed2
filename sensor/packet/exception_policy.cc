#include "sensor/packet/exception_policy.h"

#include <optional>

#include "base/strings.h"

namespace vong {
namespace {

struct TargetInfo {
  std::string_view name;   // in EVE
  std::string_view key;    // in the configuration
  bool has_flow;           // there is a flow that a policy can speak of
};
constexpr std::array<TargetInfo, kExceptionTargets> kTargets = {{
    {"stream_memcap", "stream.memcap-policy", true},
    {"stream_reassembly", "stream.reassembly.memcap-policy", true},
    {"stream_midstream", "stream.midstream-policy", true},
    {"flow_memcap", "flow.memcap-policy", false},
    {"defrag_memcap", "defrag.memcap-policy", false},
    {"app_layer_error", "app-layer.error-policy", true},
}};
constexpr std::array<std::string_view, kExceptionPolicyCount> kPolicies = {"ignore", "pass_packet", "pass_flow", "bypass"};

ExceptionPolicy parse(std::string_view text) {
  const std::string name = to_lower(text);
  if (name == "pass-packet") return ExceptionPolicy::kPassPacket;
  if (name == "pass-flow") return ExceptionPolicy::kPassFlow;
  if (name == "bypass") return ExceptionPolicy::kBypass;
  return ExceptionPolicy::kIgnore;   // ignore, auto, and what drops
}

// What a target without a flow, or one whose packet alone decides nothing, can make of it.
ExceptionPolicy fitted(ExceptionTarget target, ExceptionPolicy policy) {
  const bool whole_flow = policy == ExceptionPolicy::kPassFlow || policy == ExceptionPolicy::kBypass;
  if (!kTargets[static_cast<size_t>(target)].has_flow) {
    if (policy == ExceptionPolicy::kBypass) return ExceptionPolicy::kIgnore;
    return whole_flow ? ExceptionPolicy::kPassPacket : policy;
  }
  if (target == ExceptionTarget::kStreamMidstream && policy == ExceptionPolicy::kPassPacket) return ExceptionPolicy::kIgnore;
  return policy;
}

}  // namespace

std::string_view name_of(ExceptionTarget target) { return kTargets[static_cast<size_t>(target)].name; }
std::string_view name_of(ExceptionPolicy policy) { return kPolicies[static_cast<size_t>(policy)]; }

ExceptionPolicies ExceptionPolicies::from_settings(const Settings& settings) {
  ExceptionPolicies p;
  const std::string_view master = settings.text("exception-policy", "auto");
  for (size_t i = 0; i < kExceptionTargets; ++i) {
    const auto target = static_cast<ExceptionTarget>(i);
    p.policy_[i] = fitted(target, parse(settings.text(kTargets[i].key, master)));
  }
  return p;
}

}  // namespace vong
