// The few string helpers that all rooms share. ASCII only, on purpose: locale never changes what a rule means. (Debian's Abseil has
// a string_view of its own that std::string_view does not convert to, so absl/strings is of no use here.) Maps by string: string_map.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vong {

[[nodiscard]] constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
[[nodiscard]] constexpr uint8_t ascii_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c + 32) : c; }
[[nodiscard]] constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equals_ignore_case(std::string_view a, std::string_view b);
[[nodiscard]] bool starts_with_ignore_case(std::string_view text, std::string_view prefix);
[[nodiscard]] std::string_view strip(std::string_view text);  // spaces at both ends
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts

}  // namespace vong
