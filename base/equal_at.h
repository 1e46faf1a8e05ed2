// Bytes against a pattern, as the pattern wants its case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/strings.h"

namespace vong {

// Are the `n` bytes at `at` those of `pattern`? With `nocase` ASCII letters count in either case;
// the pattern then has them in lower case.
[[nodiscard]] inline bool equal_at(const uint8_t* at, const uint8_t* pattern, size_t n,
                                   bool nocase) {
  if (!nocase) return std::memcmp(at, pattern, n) == 0;
  for (size_t i = 0; i < n; ++i) {
    if (ascii_lower(at[i]) != pattern[i]) return false;
  }
  return true;
}

}  // namespace vong
