// threshold, detection_filter: how often a rule raises an alert.
#include "rules/network/threshold.h"

#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

Status setup_threshold(RuleBuilder& b, const rules::Option& o) {
  if (b.body.thresholds.size() >= 8) return value_error(o.name, "too many thresholds");
  if (b.body.detection_filter) return value_error(o.name, "threshold and detection_filter exclude each other");
  const auto t = rules::parse_threshold(o.value);
  if (!t) return std::unexpected(t.error());
  b.body.thresholds.push_back(spec_of(*t));
  return {};
}

Status setup_filter(RuleBuilder& b, const rules::Option& o) {
  if (!b.body.thresholds.empty()) return value_error(o.name, "threshold and detection_filter exclude each other");
  const auto t = rules::parse_detection_filter(o.value);
  if (!t) return std::unexpected(t.error());
  b.body.detection_filter = spec_of(*t);
  b.body.detection_filter->type = ThresholdType::kDetectionFilter;
  return {};
}

constexpr uint16_t kFlags = Keyword::kIpOnlyOk | Keyword::kEventsOnlyOk;
constexpr Keyword kKeywords[] = {
    {"threshold", "", KeywordKind::kThreshold, ValueUse::kRequired, setup_threshold, nullptr, kFlags,
     "type limit|threshold|both|backoff, track by_src|by_dst|by_both|by_rule|by_flow, count <n>, seconds <s>[, multiplier <n>]",
     "Raises only some of the alerts."},
    {"detection_filter", "", KeywordKind::kThreshold, ValueUse::kRequired, setup_filter, nullptr, kFlags | Keyword::kOncePerRule,
     "track by_src|by_dst|by_both|by_rule|by_flow, count <n>, seconds <s>", "Raises alerts only after this many matches within the time."},
};

}  // namespace

std::span<const Keyword> threshold_keywords() { return kKeywords; }

}  // namespace vong::detect
