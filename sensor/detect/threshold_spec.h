// `threshold`, `detection_filter` and the lines of threshold.config, as data.
#pragma once

#include <cstdint>

namespace vong::detect {

enum class ThresholdType : uint8_t { kLimit, kThreshold, kBoth, kBackoff, kDetectionFilter, kRate };
enum class Track : uint8_t { kBySrc, kByDst, kByRule, kByBoth, kByFlow };

struct ThresholdSpec {
  ThresholdType type = ThresholdType::kLimit;
  Track track = Track::kBySrc;
  uint32_t count = 1;
  uint32_t seconds = 1;
  uint32_t multiplier = 1;        // backoff
  uint32_t timeout_s = 0;         // rate filter
  uint8_t new_action = 0;         // rate filter: rules::Action as number
  uint8_t unique_on = 0;          // detection_filter: 0 none, 1 src_port, 2 dst_port
};

}  // namespace vong::detect
