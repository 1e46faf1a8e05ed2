// Finds short literals in short data: what is left of a pattern set beside literal_index.h, where a
// compiled automaton would wait longer for its tables than it works. In long data matcher.h is
// faster. Immutable once made.
//
//   ShortIndex index;
//   index.add(id, bytes, nocase); ...
//   index.finish();
//   if (data.size() <= ShortIndex::kLongestData) index.scan(data, marks, [&](uint32_t id) { ... });
//
// How: each place's first two bytes, letters in either case, ask a table of bits, then a hash table
// which literals begin so; literals of one byte have a list for each byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "rules/matcher/literal_marks.h"
#include "rules/matcher/literal_store.h"

namespace vong::matcher {

class ShortIndex {
 public:
  static constexpr size_t kLongestData = 512;   // about where automata begin to win
  static constexpr size_t kMostLiterals = 256;  // beyond it too much of any data looks like one

  // `text`: one byte and more, lower case when `nocase`; copied. Several literals may have one id.
  void add(uint32_t id, Bytes text, bool nocase) { literals_.add(id, text, nocase); }
  // After the last add, before the first scan.
  void finish();

  [[nodiscard]] size_t size() const { return literals_.size(); }
  [[nodiscard]] size_t memory_bytes() const;

  // Each id at most once a scan, in no order.
  template <typename OnMatch>
  void scan(Bytes data, LiteralMarks& marks, OnMatch&& on_match) const {
    marks.start(literals_.ids());
    const auto tell = [&](uint32_t id) {
      if (marks.told(id)) return;
      marks.tell(id);
      on_match(id);
    };
    if (data.size() >= 2 && !entries_.empty()) scan_pairs(data, tell);
    if (singles_.empty()) return;
    for (const uint8_t c : data) {
      for (uint32_t i = first_single_[c]; i < first_single_[size_t{c} + 1]; ++i) tell(singles_[i]);
    }
  }

 private:
  static constexpr unsigned kBits = 12;

  struct Entry {
    uint32_t pair = 0, literal = kFree;
  };
  static constexpr uint32_t kFree = ~uint32_t{0};

  // Letters in either case made one (so are a few other bytes).
  static uint32_t pair_at(const uint8_t* p) {
    const uint32_t pair = uint32_t{p[0]} << 8 | p[1];
    return pair | (pair & 0x4040) >> 1;
  }
  static uint32_t hash_of(uint32_t pair) { return pair * 0x9E3779B1u; }

  template <typename Tell>
  void scan_pairs(Bytes data, const Tell& tell) const {
    for (size_t at = 0; at + 2 <= data.size(); ++at) {
      const uint32_t pair = pair_at(data.data() + at), hash = hash_of(pair);
      const uint32_t bit = hash >> (32 - kBits);
      if ((bits_[bit / 32] >> (bit % 32) & 1) != 0) [[unlikely]]
        confirm(pair, hash, data.subspan(at), tell);
    }
  }

  // `rest`: the data from the pair on.
  template <typename Tell>
  void confirm(uint32_t pair, uint32_t hash, Bytes rest, const Tell& tell) const {
    const size_t mask = entries_.size() - 1;
    for (size_t s = hash >> entry_shift_; entries_[s].literal != kFree; s = (s + 1) & mask) {
      if (entries_[s].pair != pair) continue;
      const LiteralStore::Literal& l = literals_[entries_[s].literal];
      if (l.length <= rest.size() && literals_.stands(l, rest.data())) tell(l.id);
    }
  }

  LiteralStore literals_;
  std::array<uint32_t, (size_t{1} << kBits) / 32> bits_{};
  std::vector<Entry> entries_;  // open addressing by pair, at most half full
  unsigned entry_shift_ = 0;
  // Literals of one byte: the ids for byte c are singles_[first_single_[c], first_single_[c + 1]).
  std::vector<uint32_t> singles_;
  std::array<uint32_t, 257> first_single_{};
};

}  // namespace vong::matcher
