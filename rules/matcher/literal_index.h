// Finds literals of four bytes and more by hashing: a table of bits says at which places some
// literal may stand, a hash table which ones, the bytes themselves whether they do. What it touches
// is small, so that it is still in the cache when the next packet comes, which an automaton over
// the same literals is not. Immutable once made. Shorter literals: short_index.h, matcher.h.
//
//   LiteralIndex index;
//   if (LiteralIndex::suits(bytes)) index.add(id, bytes, nocase); ...
//   index.finish();
//   index.scan(data, marks, [&](uint32_t id) { ... });   // each id at most once a scan, in no
//   order
//
// How: a literal is known by a run of four of its bytes, the rarest it has: never padding, not
// shared by many literals. Every place of the data is looked at, four at a time. Letters count in
// either case while hashing, the comparison is exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "rules/matcher/literal_marks.h"
#include "rules/matcher/literal_store.h"

namespace vong::matcher {

class LiteralIndex {
 public:
  static constexpr size_t kShortest = 4, kLongest = 0xffff;

  // What can be found this way: of these lengths, with some run that is no padding.
  [[nodiscard]] static bool suits(Bytes text);
  // `text` must suit, and be lower case when `nocase`; copied. Several literals may have one id.
  void add(uint32_t id, Bytes text, bool nocase) { literals_.add(id, text, nocase); }
  // After the last add, before the first scan.
  void finish();

  [[nodiscard]] bool empty() const { return literals_.size() == 0; }
  [[nodiscard]] size_t size() const { return literals_.size(); }
  [[nodiscard]] size_t memory_bytes() const;

  template <typename OnMatch>
  void scan(Bytes data, LiteralMarks& marks, OnMatch&& on_match) const {
    if (data.size() < kShortest || empty()) return;
    marks.start(literals_.ids());
    walk(data, marks, on_match);
  }

 private:
  static constexpr size_t kRun = 4;
  static constexpr uint32_t kFree = ~uint32_t{0};

  // A literal at its run, with what most literals that do not stand here fail by.
  struct Entry {
    uint32_t run = 0, literal = kFree;
    uint64_t ends = 0;  // the literal's first and last four bytes, folded
    uint16_t offset = 0, length = 0;
  };

  // Letters in either case made one (so are a few other bytes).
  template <typename Word>
  static Word fold(Word bytes) {
    return bytes | (bytes & static_cast<Word>(0x4040404040404040u)) >> 1;
  }
  template <typename Word>
  static Word load(const uint8_t* p) {
    Word word;
    std::memcpy(&word, p, sizeof word);
    return word;
  }
  static uint32_t run_at(const uint8_t* p) { return fold(load<uint32_t>(p)); }
  static uint64_t ends_of(const uint8_t* text, size_t length) {
    return run_at(text) | uint64_t{run_at(text + length - kRun)} << 32;
  }
  static uint32_t hash_of(uint32_t run) { return run * 0x9E3779B1u; }

  void fill(const std::vector<Entry>& entries);

  // Bit 0: can a literal have a run of this hash?
  [[nodiscard]] uint32_t test(uint32_t hash) const {
    return bits_[hash >> (bit_shift_ + 5)] >> (hash >> bit_shift_ & 31);
  }

  template <typename OnMatch>
  void walk(Bytes data, LiteralMarks& marks, OnMatch& on_match) const {
    const uint8_t* const begin = data.data();
    const uint8_t* const end = begin + data.size();
    const uint8_t* p = begin;
    for (; end - p >= 8; p += 4) {
      const uint64_t bytes = fold(load<uint64_t>(p));
      const auto run = [bytes](unsigned k) { return static_cast<uint32_t>(bytes >> 8 * k); };
      if (((test(hash_of(run(0))) | test(hash_of(run(1))) | test(hash_of(run(2))) |
            test(hash_of(run(3)))) &
           1) == 0) [[likely]]
        continue;
      for (unsigned k = 0; k < 4; ++k) {
        if ((test(hash_of(run(k))) & 1) != 0)
          confirm(run(k), static_cast<size_t>(p - begin) + k, data, marks, on_match);
      }
    }
    for (; end - p >= static_cast<ptrdiff_t>(kRun); ++p) {
      const uint32_t run = run_at(p);
      if ((test(hash_of(run)) & 1) != 0)
        confirm(run, static_cast<size_t>(p - begin), data, marks, on_match);
    }
  }

  template <typename OnMatch>
  void confirm(uint32_t run, size_t at, Bytes data, LiteralMarks& marks, OnMatch& on_match) const {
    const size_t mask = entries_.size() - 1;
    for (size_t s = hash_of(run) >> entry_shift_;; s = (s + 1) & mask) {
      const Entry& entry = entries_[s];
      if (entry.literal == kFree) return;
      if (entry.run != run) continue;
      if (at < entry.offset || at - entry.offset + entry.length > data.size()) continue;
      const uint8_t* const text = data.data() + at - entry.offset;
      if (ends_of(text, entry.length) != entry.ends) continue;
      const LiteralStore::Literal& l = literals_[entry.literal];
      if (marks.told(l.id) || !literals_.stands(l, text)) continue;
      marks.tell(l.id);
      on_match(l.id);
    }
  }

  LiteralStore literals_;
  std::vector<uint32_t> bits_;
  std::vector<Entry> entries_;  // open addressing by run, at most half full
  unsigned bit_shift_ = 0, entry_shift_ = 0;
};

}  // namespace vong::matcher
