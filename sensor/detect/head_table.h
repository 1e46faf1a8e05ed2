// Patterns that must lie within the first bytes of what is looked at, each with the places where it
// may begin: compared there, not searched for. Eight comparisons are one of the CPU's. Made once,
// then immutable.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "base/bytes.h"
#include "base/equal_at.h"
#include "base/strings.h"
#include "sensor/detect/limits.h"

namespace vong::detect {

class HeadTable {
 public:
  // True when the table took it: the pattern (not empty, lower case when `nocase`, must outlive the
  // table) can begin at few places only, from `first` to `end` - its length, all within kHeadBytes.
  [[nodiscard]] bool add(Bytes pattern, bool nocase, size_t first, size_t end, uint32_t rule);
  // After the last add, before the first find.
  void finish();
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  // Calls on_rule(uint32_t) for the rule of each pattern that stands at a place of its own in
  // `data`; more than once when it stands at several.
  template <typename OnRule>
  void find(Bytes data, OnRule&& on_rule) const {
    if (entries_.empty() || data.size() < shortest_) return;
    std::array<uint8_t, kHeadBytes + kPadding> head;
    const size_t n = std::min(data.size(), kHeadBytes);
    std::memcpy(head.data(), data.data(), n);
    std::memset(head.data() + n, 0, head.size() - n);
    for (size_t i = 0; i < entries_.size(); i += kLanes) {
      for (uint32_t hits = compare(head.data(), i); hits != 0; hits &= hits - 1) {
        const size_t k = i + static_cast<size_t>(std::countr_zero(hits));
        if (k < entries_.size() && stands(entries_[k], at_[k], data)) on_rule(entries_[k].rule);
      }
    }
  }

 private:
  static constexpr size_t kLanes = 8, kPadding = 8, kMostPlaces = 8;
  struct Entry {
    Bytes pattern;
    uint32_t rule;
    bool nocase;
  };

  static bool stands(const Entry& e, size_t at, Bytes data) {
    if (at + e.pattern.size() > data.size()) return false;
    return equal_at(data.data() + at, e.pattern.data(), e.pattern.size(), e.nocase);
  }

  // Bit k: entry i + k may stand. Of each the first bytes, at most four, are compared; letters in
  // either case.
  [[nodiscard]] uint32_t compare(const uint8_t* head, size_t i) const {
#ifdef __AVX2__
    const auto load = [i](const auto& v) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v.data() + i));
    };
    const __m256i bytes = _mm256_i32gather_epi32(reinterpret_cast<const int*>(head), load(at_), 1);
    const __m256i folded = _mm256_or_si256(_mm256_and_si256(bytes, load(mask_)), load(fold_));
    return static_cast<uint32_t>(
        _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(folded, load(want_)))));
#else
    uint32_t hits = 0;
    for (size_t k = 0; k < kLanes; ++k) {
      uint32_t bytes;
      std::memcpy(&bytes, head + at_[i + k], sizeof bytes);
      hits |= static_cast<uint32_t>(((bytes & mask_[i + k]) | fold_[i + k]) == want_[i + k]) << k;
    }
    return hits;
#endif
  }

  std::vector<Entry> entries_;                     // one for each place
  std::vector<uint32_t> at_, mask_, fold_, want_;  // by entry, filled up to a multiple of kLanes
  size_t shortest_ = ~size_t{0};
};

}  // namespace vong::detect
