// The topics that the correlator reads and writes, as it makes them when it is asked to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "correlator/app/options.h"
#include "correlator/enrich/registry.h"
#include "kafka/admin.h"

namespace vong::correlator {

inline constexpr std::string_view kEventsPrefix = "vong.events.";
inline constexpr std::string_view kVerdictsTopic = "vong.verdicts";
inline constexpr std::string_view kStatusTopic = "vong.status";
inline constexpr std::string_view kCoverageTopic = "vong.coverage";
inline constexpr std::string_view kRulePacksTopic = "vong.rulepacks";

// Which rules are in force, as text too (InForceLog).
[[nodiscard]] inline std::string state_topic(const Options& options) {
  return "vong.state." + options.group;
}

[[nodiscard]] std::vector<kafka::NewTopic> topics_of(const Options& options,
                                                     const enrich::Registry& registry);

}  // namespace vong::correlator
