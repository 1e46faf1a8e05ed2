// Content-Range (RFC 9110 section 14.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vong::http {

// -1: not given ("*").
struct ContentRange {
  int64_t start = -1, end = -1, size = -1;
};
[[nodiscard]] std::optional<ContentRange> parse_content_range(std::string_view value);

}  // namespace vong::http
