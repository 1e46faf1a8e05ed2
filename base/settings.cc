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
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const std::string unit = to_lower(strip(text.substr(static_cast<size_t>(end - text.data()))));
  int shift = 0;
  if (unit.empty() || unit == "b") shift = 0;
  else if (unit == "k" || unit == "kb" || unit == "kib") shift = 10;
  else if (unit == "m" || unit == "mb" || unit == "mib") shift = 20;
  else if (unit == "g" || unit == "gb" || unit == "gib") shift = 30;
  else return std::nullopt;
  if (value > (UINT64_MAX >> shift)) return std::nullopt;
  return value << shift;
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
  for (auto it = values_.lower_bound(prefix); it != values_.end() && it->first.starts_with(prefix); ++it) {
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
