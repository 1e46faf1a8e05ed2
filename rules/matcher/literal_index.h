// Finds literals of seven bytes and more by hashing: a table of bits says at which places some
// literal may stand, a hash table which ones, the bytes themselves whether they do. About twice as
// fast as an automaton over the same literals, and what it touches fits the cache. Immutable once
// made. Shorter literals are Hyperscan's (matcher.h).
//
//   LiteralIndex index;
//   if (LiteralIndex::suits(bytes)) index.add(id, bytes, nocase); ...
//   index.finish();
//   index.scan(data, marks, [&](uint32_t id) { ... });   // each id at most once a scan, in no
//   order
//
// How: a literal is known by four neighbouring runs of four of its bytes, so that looking at every
// fourth place of the data meets one of them. Runs are chosen to be rare: never padding, not shared
// by many literals. Letters count in either case while hashing, the comparison is exact.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/equal_at.h"
#include "base/strings.h"

namespace vong::matcher {

// Which ids a scan has told already. One per thread, for any number of indexes.
class LiteralMarks {
 public:
  void start(size_t ids) {
    if (marks_.size() < ids) marks_.resize(ids, 0);
    if (++epoch_ != 0) return;
    std::fill(marks_.begin(), marks_.end(), 0);
    epoch_ = 1;
  }
  [[nodiscard]] bool told(uint32_t id) const { return marks_[id] == epoch_; }
  void tell(uint32_t id) { marks_[id] = epoch_; }

 private:
  std::vector<uint32_t> marks_;
  uint32_t epoch_ = 0;
};

class LiteralIndex {
 public:
  static constexpr size_t kShortest = 7, kLongest = 0xffff;

  // What can be found this way: of these lengths, with some place that is no padding.
  [[nodiscard]] static bool suits(Bytes text);
  // `text` must suit, and be lower case when `nocase`; copied. Several literals may have one id.
  void add(uint32_t id, Bytes text, bool nocase);
  // After the last add, before the first scan.
  void finish();

  [[nodiscard]] bool empty() const { return literals_.empty(); }
  [[nodiscard]] size_t size() const { return literals_.size(); }
  [[nodiscard]] size_t memory_bytes() const;

  template <typename OnMatch>
  void scan(Bytes data, LiteralMarks& marks, OnMatch&& on_match) const {
    if (data.size() < kShortest || literals_.empty()) return;
    marks.start(ids_);
    walk(data, marks, on_match);
  }

 private:
  static constexpr size_t kRun = 4, kStride = 4;

  struct Literal {
    uint32_t id, begin, length;  // its bytes: bytes_[begin, begin + length)
    bool nocase;
  };
  struct Place {    // a run of a literal, with what most literals that do not stand here fail by
    uint64_t ends;  // the literal's first and last four bytes, folded
    uint32_t literal;
    uint16_t offset, length;
  };
  struct Slot {
    uint32_t key = 0, first = 0, count = 0;  // places_[first, first + count)
  };
  struct Table {
    std::vector<uint64_t> bits;
    std::vector<Slot> slots;  // open addressing; count 0: free
    std::vector<Place> places;
    unsigned bit_shift = 0, slot_shift = 0;
  };

  // Four bytes with letters in either case made one (so are a few others).
  static uint32_t run_at(const uint8_t* p) {
    uint32_t run;
    std::memcpy(&run, p, kRun);
    return run | (run & 0x40404040u) >> 1;
  }
  static uint64_t ends_of(const uint8_t* text, size_t length) {
    return run_at(text) | uint64_t{run_at(text + length - kRun)} << 32;
  }
  static uint32_t hash_of(uint32_t run) { return run * 0x9E3779B1u; }

  void fill(std::vector<std::pair<uint32_t, Place>>& runs);

  [[nodiscard]] bool stands(const Literal& l, const uint8_t* at) const {
    return equal_at(at, bytes_.data() + l.begin, l.length, l.nocase);
  }

  template <typename OnMatch>
  void walk(Bytes data, LiteralMarks& marks, OnMatch& on_match) const {
    const uint8_t* const begin = data.data();
    const uint8_t* const last = begin + data.size() - kRun;
    const uint64_t* const bits = table_.bits.data();
    for (const uint8_t* p = begin; p <= last; p += kStride) {
      const uint32_t run = run_at(p), hash = hash_of(run);
      const uint32_t bit = hash >> table_.bit_shift;
      if ((bits[bit >> 6] >> (bit & 63) & 1) != 0) [[unlikely]]
        confirm(run, hash, static_cast<size_t>(p - begin), data, marks, on_match);
    }
  }

  template <typename OnMatch>
  void confirm(uint32_t run, uint32_t hash, size_t at, Bytes data, LiteralMarks& marks,
               OnMatch& on_match) const {
    const size_t mask = table_.slots.size() - 1;
    for (size_t s = hash >> table_.slot_shift;; s = (s + 1) & mask) {
      const Slot& slot = table_.slots[s];
      if (slot.count == 0) return;
      if (slot.key != run) continue;
      for (uint32_t k = slot.first; k < slot.first + slot.count; ++k) {
        const Place& place = table_.places[k];
        if (at < place.offset || at - place.offset + place.length > data.size()) continue;
        const uint8_t* const text = data.data() + at - place.offset;
        if (ends_of(text, place.length) != place.ends) continue;
        const Literal& l = literals_[place.literal];
        if (marks.told(l.id) || !stands(l, text)) continue;
        marks.tell(l.id);
        on_match(l.id);
      }
      return;
    }
  }

  std::vector<Literal> literals_;
  std::vector<uint8_t> bytes_;
  Table table_;
  size_t ids_ = 0;
};

}  // namespace vong::matcher
