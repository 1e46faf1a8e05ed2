// Helpers for option values, shared by all keywords. Each takes a view of the value as written and
// answers with what it means, or with a ValueError that points at the byte that is wrong. Nothing
// here allocates more than its input is long.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "rules/network/diagnostic.h"

namespace vong::rules {

template <typename T>
using Parsed = std::expected<T, ValueError>;

[[nodiscard]] inline std::unexpected<ValueError> value_error(std::string_view at,
                                                             std::string message) {
  return std::unexpected(ValueError{at, std::move(message)});
}

// --- quotes
// ---------------------------------------------------------------------------------------------------------

enum class Quotes : uint8_t { kRequired, kOptional };

struct Unquoted {
  std::string_view text;  // between the quotes, escapes untouched
  bool negated = false;   // a '!' stood before
};
// `value` as in Option::value: [!]"text". `negatable` false: a '!' is an error (quotes required) or
// part of the text.
[[nodiscard]] Parsed<Unquoted> unquote(std::string_view value, Quotes quotes, bool negatable);

// The text of msg and the like: \" \; \: \\ become the character, other backslashes stay.
[[nodiscard]] std::string unescape_text(std::string_view text);

// --- content
// --------------------------------------------------------------------------------------------------------

struct Content {
  std::string bytes;  // 1 to kMaxContentBytes
  bool negated = false;
};
// content:[!]"abc|41 42|\;": hex between bars, escapes \" \; \: \\ only.
[[nodiscard]] Parsed<Content> parse_content(std::string_view value);
// The same for the part between the quotes; may be empty.
[[nodiscard]] Parsed<std::string> decode_content(std::string_view text);
// The inverse: how `bytes` are written between quotes (printable ASCII as it is, the rest in bars).
[[nodiscard]] std::string encode_content(std::string_view bytes);

// --- numbers
// --------------------------------------------------------------------------------------------------------

// Digits only, or hexadecimal after 0x; no sign, no spaces around. Error when larger than `max`.
[[nodiscard]] Parsed<uint64_t> parse_unsigned(std::string_view text,
                                              uint64_t max = std::numeric_limits<uint64_t>::max());
// The same with an optional '-' or '+'.
[[nodiscard]] Parsed<int64_t> parse_signed(std::string_view text,
                                           int64_t min = std::numeric_limits<int64_t>::min(),
                                           int64_t max = std::numeric_limits<int64_t>::max());
// A number with an optional unit: b, kb, kib, mb, mib, gb, gib (powers of 1024, any case).
[[nodiscard]] Parsed<uint64_t> parse_size_bytes(
    std::string_view text, uint64_t max = std::numeric_limits<uint64_t>::max());
// A number with an optional unit: s, m, h, d, w (seconds, minutes, hours, days, weeks).
[[nodiscard]] Parsed<uint64_t> parse_duration_s(
    std::string_view text, uint64_t max = std::numeric_limits<uint32_t>::max());

enum class Compare : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kRange,         // a < x < b: both ends are outside
  kNotRange,      // not that
  kMaskEqual,     // (x & a) == b
  kMaskNotEqual,  // (x & a) != b
};

// A condition on an unsigned number, as Suricata's integer keywords write it.
struct NumberTest {
  Compare compare = Compare::kEqual;
  uint64_t a = 0;
  uint64_t b = 0;

  [[nodiscard]] bool matches(uint64_t x) const {
    switch (compare) {
      case Compare::kEqual:
        return x == a;
      case Compare::kNotEqual:
        return x != a;
      case Compare::kLess:
        return x < a;
      case Compare::kLessEqual:
        return x <= a;
      case Compare::kGreater:
        return x > a;
      case Compare::kGreaterEqual:
        return x >= a;
      case Compare::kRange:
        return x > a && x < b;
      case Compare::kNotRange:
        return x <= a || x >= b;
      case Compare::kMaskEqual:
        return (x & a) == b;
      case Compare::kMaskNotEqual:
        return (x & a) != b;
    }
    return false;
  }
  // No number below `least` or above `most` matches; nothing at all does when they have crossed.
  struct Bounds {
    uint64_t least = 0, most = std::numeric_limits<uint64_t>::max();
  };
  [[nodiscard]] Bounds bounds() const {
    switch (compare) {
      case Compare::kEqual:
        return {a, a};
      case Compare::kLess:
        return a == 0 ? Bounds{1, 0} : Bounds{0, a - 1};
      case Compare::kLessEqual:
        return {0, a};
      case Compare::kGreater:
        return a == Bounds().most ? Bounds{1, 0} : Bounds{a + 1, Bounds().most};
      case Compare::kGreaterEqual:
        return {a, Bounds().most};
      case Compare::kRange:
        return b == 0 || a >= b ? Bounds{1, 0} : Bounds{a + 1, b - 1};
      default:
        return {};
    }
  }
  friend bool operator==(const NumberTest&, const NumberTest&) = default;
};
// 10 =10 !10 !=10 <10 <=10 >10 >=10 1<>10 1-10 !1-10 &0xf0=0x80 &0xf0!=0x80; numbers may be
// hexadecimal or carry a size unit.
[[nodiscard]] Parsed<NumberTest> parse_number_test(
    std::string_view text, uint64_t max = std::numeric_limits<uint64_t>::max());

// --- parts of a value
// -----------------------------------------------------------------------------------------------

// The parts between `separator`, trimmed; empty parts are kept. Separators inside "..." or [...] or
// after a backslash do not count. At most kMaxSubOptions parts. An empty value has no parts.
[[nodiscard]] Parsed<std::vector<std::string_view>> split_parts(std::string_view value,
                                                                char separator = ',');
// The words between white space (quotes as above), no empty ones.
[[nodiscard]] Parsed<std::vector<std::string_view>> split_words(std::string_view value);

struct KeyValue {
  std::string_view key;  // the first word
  std::string_view
      value;  // what follows the white space, '=' or ':' after it, trimmed; empty when nothing does
};
// "track by_src" -> {track, by_src}. `separators`: the characters that may stand between, besides
// spaces.
[[nodiscard]] KeyValue split_key(std::string_view part, std::string_view separators = "");

}  // namespace vong::rules
