#include "rules/network/nearest_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rules/network/limits.h"
#include "rules/network/text.h"

namespace vong::rules {
namespace {

constexpr char fold(char c) {
  c = to_lower(c);
  return c == '-' || c == '.' ? '_' : c;
}

// Optimal string alignment distance over three rows; both words are at most kMaxNearestNameBytes
// long.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<size_t, kMaxNearestNameBytes + 1>, 3> rows{};
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& above_two = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = fold(a[i - 1]) == fold(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1])) {
        row[j] = std::min(row[j], above_two[j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view word, std::span<const std::string_view> known) {
  if (word.empty() || word.size() > kMaxNearestNameBytes) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view name : known) {
    if (name.empty() || name.size() > kMaxNearestNameBytes) continue;
    const size_t distance = edit_distance(word, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view name = nearest_name(word, known);
  return name.empty() ? std::string() : fmt::format(", did you mean '{}'?", name);
}

std::string shown(std::string_view word) {
  constexpr size_t kShownBytesMax = 64;
  std::string result = "'";
  for (const char c : word.substr(0, kShownBytesMax)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  if (word.size() > kShownBytesMax) result += "...";
  return result + "'";
}

}  // namespace vong::rules
