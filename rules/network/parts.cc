// Values that have parts.
#include <fmt/format.h>

#include "rules/network/limits.h"
#include "rules/network/text.h"
#include "rules/network/value.h"

namespace vong::rules {
namespace {

// Calls cut(i) for every byte outside quotes and brackets that no backslash stands before.
template <typename Cut>
void for_each_open_byte(std::string_view value, Cut cut) {
  bool in_quotes = false;
  int depth = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\') {
      ++i;
      continue;
    }
    if (c == '"') in_quotes = !in_quotes;
    if (in_quotes) continue;
    if (c == '[') ++depth;
    if (c == ']' && depth > 0) --depth;
    if (depth == 0) cut(i);
  }
}

std::unexpected<ValueError> too_many(std::string_view value) {
  return value_error(value, fmt::format("more than {} parts", kMaxSubOptions));
}

}  // namespace

Parsed<std::vector<std::string_view>> split_parts(std::string_view value, char separator) {
  std::vector<std::string_view> parts;
  if (trim(value).empty()) return parts;
  size_t start = 0;
  for_each_open_byte(value, [&](size_t i) {
    if (value[i] != separator || parts.size() > kMaxSubOptions) return;
    parts.push_back(trim(value.substr(start, i - start)));
    start = i + 1;
  });
  parts.push_back(trim(value.substr(start)));
  if (parts.size() > kMaxSubOptions) return too_many(value);
  return parts;
}

Parsed<std::vector<std::string_view>> split_words(std::string_view value) {
  std::vector<std::string_view> words;
  size_t start = 0;
  const auto add = [&](size_t end) {
    const std::string_view word = trim(value.substr(start, end - start));
    if (!word.empty() && words.size() <= kMaxSubOptions) words.push_back(word);
    start = end;
  };
  for_each_open_byte(value, [&](size_t i) {
    if (is_space(value[i])) add(i);
  });
  add(value.size());
  if (words.size() > kMaxSubOptions) return too_many(value);
  return words;
}

KeyValue split_key(std::string_view part, std::string_view separators) {
  part = trim(part);
  size_t n = 0;
  while (n < part.size() && !is_space(part[n]) &&
         separators.find(part[n]) == std::string_view::npos) {
    ++n;
  }
  KeyValue result{part.substr(0, n), trim_left(part.substr(n))};
  if (!result.value.empty() && separators.find(result.value.front()) != std::string_view::npos) {
    result.value = trim_left(result.value.substr(1));
  }
  return result;
}

}  // namespace vong::rules
