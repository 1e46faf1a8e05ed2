// The few string helpers that all rooms share. ASCII only, on purpose: locale never changes what a rule means. (Debian's Abseil has
// a string_view of its own that std::string_view does not convert to, so absl/strings is of no use here.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

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

// A hash and equality that let std::string maps be asked with std::string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return absl::Hash<std::string_view>{}(text); }
};
template <typename V>
using StringMap = absl::flat_hash_map<std::string, V, StringHash, std::equal_to<>>;
using StringSet = absl::flat_hash_set<std::string, StringHash, std::equal_to<>>;

}  // namespace vong
