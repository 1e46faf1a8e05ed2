// Sorted lists of disjoint closed ranges, the compiled form of address and port lists.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <vector>

namespace vong::rules {

// An IPv6 address as a number.
struct U128 {
  uint64_t high = 0;
  uint64_t low = 0;

  friend bool operator==(const U128&, const U128&) = default;
  friend auto operator<=>(const U128&, const U128&) = default;
};

template <typename T>
struct RangeLimits {
  static constexpr T kMax = std::numeric_limits<T>::max();
  static constexpr T next(T x) { return static_cast<T>(x + 1); }      // x < kMax
  static constexpr T previous(T x) { return static_cast<T>(x - 1); }  // x > 0
};
template <>
struct RangeLimits<U128> {
  static constexpr U128 kMax{~uint64_t{0}, ~uint64_t{0}};
  static constexpr U128 next(U128 x) { return {x.high + (x.low + 1 == 0 ? 1 : 0), x.low + 1}; }
  static constexpr U128 previous(U128 x) { return {x.high - (x.low == 0 ? 1 : 0), x.low - 1}; }
};

template <typename T>
struct Range {
  T first{};
  T last{};

  friend bool operator==(const Range&, const Range&) = default;
  friend auto operator<=>(const Range&, const Range&) = default;
};

template <typename T>
using Ranges = std::vector<Range<T>>;

// Sorts, and joins what overlaps or touches. first <= last holds for every range.
template <typename T>
void normalize(Ranges<T>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  size_t n = 0;
  for (const Range<T>& range : ranges) {
    if (n > 0) {
      Range<T>& before = ranges[n - 1];
      if (before.last == RangeLimits<T>::kMax) break;
      if (range.first <= RangeLimits<T>::next(before.last)) {
        before.last = std::max(before.last, range.last);
        continue;
      }
    }
    ranges[n++] = range;
  }
  ranges.resize(n);
  ranges.shrink_to_fit();
}

// What is in `from` and not in `without`; both normalized, the result is too.
template <typename T>
[[nodiscard]] Ranges<T> subtract(const Ranges<T>& from, const Ranges<T>& without) {
  Ranges<T> result;
  size_t skip = 0;
  for (Range<T> rest : from) {
    while (skip < without.size() && without[skip].last < rest.first) ++skip;
    bool used_up = false;
    for (size_t i = skip; i < without.size() && without[i].first <= rest.last; ++i) {
      const Range<T>& hole = without[i];
      if (hole.first > rest.first) {
        result.push_back({rest.first, RangeLimits<T>::previous(hole.first)});
      }
      used_up = hole.last >= rest.last;
      if (used_up) break;
      rest.first = RangeLimits<T>::next(hole.last);
    }
    if (!used_up) result.push_back(rest);
  }
  return result;
}

template <typename T>
[[nodiscard]] bool contains(const Ranges<T>& ranges, T value) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), value,
                       [](const T& x, const Range<T>& range) { return x < range.first; });
  return after != ranges.begin() && value <= std::prev(after)->last;
}

template <typename T>
[[nodiscard]] bool is_complete(const Ranges<T>& ranges) {
  return ranges.size() == 1 && ranges[0].first == T{} && ranges[0].last == RangeLimits<T>::kMax;
}

}  // namespace vong::rules
