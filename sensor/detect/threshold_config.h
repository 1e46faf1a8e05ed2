// threshold.config, compiled: event_filter/threshold, rate_filter and suppress lines by rule.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "rules/network/address_set.h"
#include "rules/network/threshold.h"
#include "sensor/detect/threshold_spec.h"

namespace vong::detect {

struct SuppressSpec {
  enum class By : uint8_t { kAlways, kSrc, kDst, kEither } by = By::kAlways;
  std::shared_ptr<const rules::AddressSet> addresses;
};

struct RuleThresholds {
  std::vector<ThresholdSpec> filters;       // threshold/event_filter: replaces the rule's own
  std::vector<ThresholdSpec> rates;
  std::vector<SuppressSpec> suppress;
};

[[nodiscard]] ThresholdSpec spec_of(const rules::Threshold& t);

// Key: gid << 32 | sid; gid 0 / sid 0 stand for all.
struct ThresholdConfig {
  absl::flat_hash_map<uint64_t, RuleThresholds> by_rule;
  [[nodiscard]] static ThresholdConfig from(const std::vector<rules::ThresholdEntry>& entries);
  [[nodiscard]] static uint64_t key(uint32_t gid, uint32_t sid) { return static_cast<uint64_t>(gid) << 32 | sid; }
};

}  // namespace vong::detect
