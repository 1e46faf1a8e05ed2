// The slow twin: answers of literal sets by trying every pattern at every place. For tests only;
// agrees with Matcher by definition of what Matcher must do, and is short enough to be seen to be
// right.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "rules/matcher/pattern_set.h"

namespace vong::matcher {

struct Match {
  uint32_t id = 0;
  uint64_t end = 0;

  friend bool operator==(const Match&, const Match&) = default;
  friend auto operator<=>(const Match&, const Match&) = default;
};

// Every end of every literal of `set` in `data`, sorted, each (id, end) once. Expressions are
// passed over.
[[nodiscard]] std::vector<Match> naive_scan(const PatternSet& set, Bytes data);

}  // namespace vong::matcher
