// Numbers, units and comparisons.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "rules/network/nearest_name.h"
#include "rules/network/text.h"
#include "rules/network/value.h"

namespace vong::rules {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};
constexpr uint64_t kKiB = 1024;
constexpr std::array<Unit, 7> kSizeUnits = {{{"b", 1},
                                             {"kb", kKiB},
                                             {"kib", kKiB},
                                             {"mb", kKiB* kKiB},
                                             {"mib", kKiB* kKiB},
                                             {"gb", kKiB* kKiB* kKiB},
                                             {"gib", kKiB* kKiB* kKiB}}};
constexpr std::array<Unit, 5> kTimeUnits = {
    {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400}}};

constexpr bool is_hex(std::string_view text) {
  return text.size() > 2 && text[0] == '0' && to_lower(text[1]) == 'x';
}

Parsed<uint64_t> too_large(std::string_view text, uint64_t max) {
  return value_error(text, fmt::format("{} is too large, the largest is {}", shown(text), max));
}

Parsed<uint64_t> with_unit(std::string_view text, std::span<const Unit> units, uint64_t max,
                           std::string_view expected) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  const std::string_view unit_name = trim_left(text.substr(digits));
  if (is_hex(text) || digits == 0 || unit_name.empty()) return parse_unsigned(text, max);
  const Parsed<uint64_t> number = parse_unsigned(text.substr(0, digits), max);
  if (!number) return number;
  for (const Unit& unit : units) {
    if (!equal_nocase(unit.name, unit_name)) continue;
    if (*number > max / unit.factor) return too_large(text, max);
    return *number * unit.factor;
  }
  return value_error(unit_name,
                     fmt::format("unknown unit {}: {} expected", shown(unit_name), expected));
}

struct Prefix {
  std::string_view text;
  Compare compare;
};
// Longer ones first.
constexpr std::array<Prefix, 7> kPrefixes = {{{"<=", Compare::kLessEqual},
                                              {">=", Compare::kGreaterEqual},
                                              {"!=", Compare::kNotEqual},
                                              {"<", Compare::kLess},
                                              {">", Compare::kGreater},
                                              {"=", Compare::kEqual},
                                              {"!", Compare::kNotEqual}}};

Parsed<NumberTest> parse_mask(std::string_view text, uint64_t max) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return value_error(text, "'=' expected after the mask: &0xf0=0x80");
  }
  const bool negated = text[equals - 1] == '!';
  const auto mask = parse_unsigned(trim(text.substr(1, equals - 1 - (negated ? 1 : 0))), max);
  if (!mask) return std::unexpected(mask.error());
  const auto value = parse_unsigned(trim(text.substr(equals + 1)), max);
  if (!value) return std::unexpected(value.error());
  return NumberTest{negated ? Compare::kMaskNotEqual : Compare::kMaskEqual, *mask, *value};
}

Parsed<NumberTest> parse_range(std::string_view text, size_t at, size_t separator_bytes,
                               bool negated, uint64_t max) {
  const auto low = parse_size_bytes(trim(text.substr(0, at)), max);
  if (!low) return std::unexpected(low.error());
  const auto high = parse_size_bytes(trim(text.substr(at + separator_bytes)), max);
  if (!high) return std::unexpected(high.error());
  // The ends are outside, so at least one number must lie between them.
  if (*high <= *low || *high - *low == 1) {
    return value_error(text, fmt::format("no number lies between {} and {}", *low, *high));
  }
  return NumberTest{negated ? Compare::kNotRange : Compare::kRange, *low, *high};
}

}  // namespace

Parsed<uint64_t> parse_unsigned(std::string_view text, uint64_t max) {
  if (text.empty()) return value_error(text, "number expected");
  const bool hex = is_hex(text);
  const std::string_view digits = hex ? text.substr(2) : text;
  uint64_t value = 0;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  if (code == std::errc::result_out_of_range) return too_large(text, max);
  if (code != std::errc() || end != digits.data() + digits.size()) {
    return value_error(text, fmt::format("number expected, not {}", shown(text)));
  }
  if (value > max) return too_large(text, max);
  return value;
}

Parsed<int64_t> parse_signed(std::string_view text, int64_t min, int64_t max) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = negative || text.starts_with('+') ? text.substr(1) : text;
  const Parsed<uint64_t> magnitude = parse_unsigned(digits);
  if (!magnitude) return std::unexpected(magnitude.error());
  constexpr auto kLargest = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const bool fits = *magnitude <= kLargest + (negative ? 1 : 0);
  // Two's complement: negating in unsigned arithmetic is right for the smallest number too.
  const auto value = static_cast<int64_t>(negative ? 0 - *magnitude : *magnitude);
  if (!fits || value < min || value > max) {
    return value_error(text,
                       fmt::format("{} is out of range: {} to {} expected", shown(text), min, max));
  }
  return value;
}

Parsed<uint64_t> parse_size_bytes(std::string_view text, uint64_t max) {
  return with_unit(text, kSizeUnits, max, "b, kb, mb or gb");
}

Parsed<uint64_t> parse_duration_s(std::string_view text, uint64_t max) {
  return with_unit(text, kTimeUnits, max, "s, m, h, d or w");
}

Parsed<NumberTest> parse_number_test(std::string_view text, uint64_t max) {
  text = trim(text);
  if (text.empty()) return value_error(text, "number or comparison expected");
  if (text.front() == '&') return parse_mask(text, max);
  const bool negated = text.front() == '!' && !text.starts_with("!=");
  const std::string_view range = negated ? trim_left(text.substr(1)) : text;
  if (const size_t at = range.find("<>"); at != std::string_view::npos) {
    return parse_range(range, at, 2, negated, max);
  }
  if (const size_t at = range.find('-'); at != std::string_view::npos && at > 0) {
    return parse_range(range, at, 1, negated, max);
  }
  for (const Prefix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.text)) continue;
    const auto number = parse_size_bytes(trim_left(text.substr(prefix.text.size())), max);
    if (!number) return std::unexpected(number.error());
    return NumberTest{prefix.compare, *number, 0};
  }
  const auto number = parse_size_bytes(text, max);
  if (!number) return std::unexpected(number.error());
  return NumberTest{Compare::kEqual, *number, 0};
}

}  // namespace vong::rules
