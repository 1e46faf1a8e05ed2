// Decides whether a matched rule's alert is raised: the rule's own threshold or detection_filter, and what threshold.config says.
#pragma once

#include "sensor/detect/compiled_rule.h"
#include "sensor/detect/shared_state.h"
#include "sensor/detect/threshold_config.h"

namespace vong::detect {

enum class ThresholdVerdict : uint8_t {
  kAlert,
  kSilent,     // no alert, but what the rule does to the flow is done (limit reached)
  kNothing,    // as if it had not matched
};

struct ThresholdResult {
  ThresholdVerdict verdict = ThresholdVerdict::kAlert;
  AlertAction action = AlertAction::kAlert;   // changed by a rate filter
};

[[nodiscard]] ThresholdResult apply_thresholds(const CompiledRule& rule, AlertAction action, const ThresholdConfig& config, Runtime& rt);

}  // namespace vong::detect
