// How often an alert may be raised: the values of the keywords threshold and detection_filter, and
// the file threshold.config.
//
//   suppress gen_id 1, sig_id 2002087, track by_src, ip [10.0.0.0/8,!10.1.1.1]
//   threshold gen_id 1, sig_id 2404000, type limit, track by_src, count 1, seconds 60 (event_filter
//   is the same) rate_filter gen_id 1, sig_id 1000, track by_rule, count 100, seconds 60,
//   new_action drop, timeout 300
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "rules/network/address_set.h"
#include "rules/network/diagnostic.h"
#include "rules/network/value.h"

namespace vong::rules {

enum class ThresholdType : uint8_t { kLimit, kThreshold, kBoth, kBackoff };
enum class Track : uint8_t { kBySrc, kByDst, kByBoth, kByRule, kByFlow, kByEither };

struct Threshold {
  ThresholdType type = ThresholdType::kLimit;  // detection_filter: always kThreshold, means nothing
  Track track = Track::kBySrc;                 // never kByEither
  uint32_t count = 0;                          // 1 or more
  uint32_t seconds = 0;                        // 1 or more; 0 with kBackoff, which has no time
  uint32_t multiplier = 0;                     // 2 or more, only with kBackoff
};

// The value of the keyword "threshold": its parts in any order, each once.
[[nodiscard]] Parsed<Threshold> parse_threshold(std::string_view value);
// The value of the keyword "detection_filter": track, count and seconds.
[[nodiscard]] Parsed<Threshold> parse_detection_filter(std::string_view value);

enum class NewAction : uint8_t { kAlert, kDrop, kPass, kReject };

struct ThresholdEntry {
  enum class Kind : uint8_t { kSuppress, kThreshold, kRateFilter };
  Kind kind = Kind::kSuppress;
  uint32_t gid = 0;     // 0: every generator (then sid is 0 too)
  uint32_t sid = 0;     // 0: every rule of the generator
  Threshold threshold;  // kThreshold and kRateFilter
  Track suppress_track =
      Track::kByEither;  // kSuppress with `suppressed`: kBySrc, kByDst or kByEither
  std::shared_ptr<const AddressSet> suppressed;  // kSuppress: null means every address
  NewAction new_action = NewAction::kAlert;      // kRateFilter
  uint32_t timeout_s = 0;                        // kRateFilter: how long new_action lasts
  SourcePos pos;
};

struct ThresholdFile {
  std::vector<ThresholdEntry> entries;  // in the file's order
  Diagnostics diagnostics;
};

// A bad line is a diagnostic and is left out. `lists` resolves the addresses of suppress.
[[nodiscard]] ThresholdFile parse_threshold_file(std::string name, const std::string& text,
                                                 ListCache& lists);
// An error only when the file cannot be read.
[[nodiscard]] Result<ThresholdFile> load_threshold_file(const std::string& path, ListCache& lists);

}  // namespace vong::rules
