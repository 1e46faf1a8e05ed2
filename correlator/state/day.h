// A point in time as people write it into lists and registries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/timestamp.h"

namespace vong::state {

// EVE's form of a time, or a day alone (2026-05-01), which means its beginning, UTC.
[[nodiscard]] inline std::optional<int64_t> day_or_time_ns(std::string_view text) {
  const bool is_day = text.size() == 10 && text[4] == '-' && text[7] == '-';
  const auto t = is_day ? parse_eve_time(std::string(text) + "T00:00:00Z") : parse_eve_time(text);
  return t ? std::optional(to_ns(*t)) : std::nullopt;
}

}  // namespace vong::state
