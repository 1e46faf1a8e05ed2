#include "app_common/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace vong::app {
namespace {

constexpr std::size_t kMaxNameSize =
    64;  // longer names are not compared: edit distance is quadratic

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row.back();
}

}  // namespace

std::string Problem::to_string() const {
  return fmt::format("{}:{}:{}: {}: {}", place.file, place.line, place.column,
                     severity == Severity::kError ? "error" : "warning", text);
}

void Problems::add(Severity severity, Place place, std::string text) {
  (severity == Severity::kError ? errors_ : warnings_) += 1;
  if (kept_.size() < kMaxKept) kept_.push_back({severity, std::move(place), std::move(text)});
}

void Problems::print(std::FILE* out) const {
  for (const Problem& problem : kept_) fmt::print(out, "{}\n", problem.to_string());
  const std::size_t total = errors_ + warnings_;
  if (total > kept_.size()) fmt::print(out, "and {} more\n", total - kept_.size());
}

std::string_view nearest_name(std::string_view wrong, const std::vector<std::string_view>& names) {
  if (wrong.size() > kMaxNameSize) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (std::string_view name : names) {
    if (name.size() > kMaxNameSize) continue;
    if (const std::size_t d = edit_distance(wrong, name); d < best_distance) {
      best = name;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace vong::app
