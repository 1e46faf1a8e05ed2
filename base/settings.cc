#include "base/settings.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"

namespace vong {
namespace {

bool is_number(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<bool> parse_flag(std::string_view text) {
  for (const std::string_view yes : {"yes", "true", "on", "1", "enabled"}) {
    if (equals_ignore_case(text, yes)) return true;
  }
  for (const std::string_view no : {"no", "false", "off", "0", "disabled"}) {
    if (equals_ignore_case(text, no)) return false;
  }
  return std::nullopt;
}

std::optional<uint64_t> parse_size_bytes(std::string_view text) {
  text = strip(text);
  const char* const last = text.data() + text.size();
  uint64_t whole = 0;
  auto [end, error] = std::from_chars(text.data(), last, whole);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  double fraction = 0;  // of the unit: what is left of a byte does not count
  if (end != last && *end == '.') {
    for (double digit = 0.1; ++end != last && *end >= '0' && *end <= '9'; digit /= 10)
      fraction += digit * (*end - '0');
  }
  const std::string unit = to_lower(strip(std::string_view(end, static_cast<size_t>(last - end))));
  static constexpr std::string_view kUnits = "kmgt";
  int shift = 0;
  if (!unit.empty() && unit != "b") {
    const size_t power = kUnits.find(unit[0]);
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib"))
      return std::nullopt;
    shift = 10 * (static_cast<int>(power) + 1);
  }
  if (whole >= (uint64_t{1} << 63) >> shift) return std::nullopt;
  return (whole << shift) + static_cast<uint64_t>(fraction * static_cast<double>(1ULL << shift));
}

std::optional<std::string_view> Settings::get(std::string_view path) const {
  const auto it = values_.find(path);
  if (it == values_.end()) return std::nullopt;
  return it->second;
}

std::string_view Settings::text(std::string_view path, std::string_view fallback) const {
  return get(path).value_or(fallback);
}

bool Settings::flag(std::string_view path, bool fallback) const {
  const auto value = get(path);
  return value ? parse_flag(*value).value_or(fallback) : fallback;
}

int64_t Settings::integer(std::string_view path, int64_t fallback) const {
  const auto value = get(path);
  if (!value) return fallback;
  int64_t result = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), result);
  return error == std::errc() && end == value->data() + value->size() ? result : fallback;
}

uint64_t Settings::size_bytes(std::string_view path, uint64_t fallback) const {
  const auto value = get(path);
  return value ? parse_size_bytes(*value).value_or(fallback) : fallback;
}

bool Settings::has(std::string_view path) const {
  const auto it = values_.lower_bound(path);
  if (it == values_.end() || !it->first.starts_with(path)) {
    return values_.contains(path);
  }
  if (it->first.size() == path.size()) return true;
  const auto below = values_.lower_bound(std::string(path) + ".");
  return below != values_.end() && below->first.starts_with(std::string(path) + ".");
}

std::vector<std::string> Settings::children(std::string_view path) const {
  const std::string prefix = path.empty() ? "" : std::string(path) + ".";
  std::vector<std::string> names;
  for (auto it = values_.lower_bound(prefix); it != values_.end() && it->first.starts_with(prefix);
       ++it) {
    const std::string_view rest = std::string_view(it->first).substr(prefix.size());
    names.emplace_back(rest.substr(0, rest.find('.')));
  }
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    if (is_number(a) && is_number(b) && a.size() != b.size()) return a.size() < b.size();
    return a < b;
  });
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace vong
