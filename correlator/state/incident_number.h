// An incident's id as a number: its first half. Ids are digests, so it is as good a key of a table,
// and shorter.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace vong::state {

[[nodiscard]] inline uint64_t incident_number(std::string_view id) {
  uint64_t n = 0;
  (void)std::from_chars(id.data(), id.data() + std::min<size_t>(id.size(), 16), n, 16);
  return n;
}

}  // namespace vong::state
