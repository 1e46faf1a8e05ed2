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
// How: a literal is known by a run of four of its bytes, the rarest it has (run_cost.h): never
// padding, not shared by many literals. Every place of the data is looked at: eight at a time where
// the processor gathers quickly, four at a time elsewhere. Letters count in either case while
// hashing, the comparison is exact.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#ifdef __AVX2__
#include <immintrin.h>
#endif

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
  // How places are looked at: the same is found either way.
  enum class Way : uint8_t {
    kOneByOne,
    kGathered,  // with AVX2; where it was not compiled in the same as kOneByOne
    kQuicker,   // which of both this processor does more quickly, measured once
  };
  // After the last add, before the first scan.
  void finish(Way way = Way::kQuicker);

  [[nodiscard]] bool empty() const { return literals_.size() == 0; }
  [[nodiscard]] size_t size() const { return literals_.size(); }
  [[nodiscard]] size_t memory_bytes() const;

  template <typename OnMatch>
  void scan(Bytes data, LiteralMarks& marks, OnMatch&& on_match) const {
    if (data.size() < kShortest || empty()) return;
    marks.start(literals_.ids());
    const uint8_t* p = data.data();
    if (gathers_) p = walk_gathered(p, data, marks, on_match);
    walk(p, data, marks, on_match);
  }

 private:
  static constexpr size_t kRun = 4;

  // A literal at its run, with what most literals that do not stand here fail by.
  struct Entry {
    uint32_t run = 0, literal = 0;
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
  static constexpr uint32_t kFactor = 0x9E3779B1u;
  static uint32_t hash_of(uint32_t run) { return run * kFactor; }

  void fill(std::vector<Entry> entries);
  static Way quicker_way();

  // Bit 0: can a literal have a run of this hash?
  [[nodiscard]] uint32_t test(uint32_t hash) const {
    return bits_[hash >> (bit_shift_ + 5)] >> (hash >> bit_shift_ & 31);
  }

  // From `p` to the end of the data.
  template <typename OnMatch>
  void walk(const uint8_t* p, Bytes data, LiteralMarks& marks, OnMatch& on_match) const {
    const uint8_t* const begin = data.data();
    const uint8_t* const end = begin + data.size();
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

  // As walk, eight places at a time -> the first place that is left to do.
  template <typename OnMatch>
  const uint8_t* walk_gathered(const uint8_t* p, Bytes data, LiteralMarks& marks,
                               OnMatch& on_match) const {
#ifdef __AVX2__
    const uint8_t* const begin = data.data();
    const uint8_t* const end = begin + data.size();
    // In each half the runs at four places, one byte apart.
    const __m256i runs =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6));
    const __m256i factor = _mm256_set1_epi32(static_cast<int>(kFactor));
    const __m256i letter_bit = _mm256_set1_epi8(0x40);
    const __m128i to_word = _mm_cvtsi32_si128(static_cast<int>(bit_shift_) + 5);
    const __m128i to_bit = _mm_cvtsi32_si128(static_cast<int>(bit_shift_));
    const __m256i bit_mask = _mm256_set1_epi32(31);
    const auto* const table = reinterpret_cast<const int*>(bits_.data());
    const auto half = [](const uint8_t* at) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    };
    for (; end - p >= 20; p += 8) {
      __m256i run = _mm256_shuffle_epi8(_mm256_set_m128i(half(p + 4), half(p)), runs);
      run = _mm256_or_si256(run, _mm256_srli_epi32(_mm256_and_si256(run, letter_bit), 1));
      const __m256i hash = _mm256_mullo_epi32(run, factor);
      const __m256i words = _mm256_i32gather_epi32(table, _mm256_srl_epi32(hash, to_word), 4);
      // The bit asked for becomes the sign.
      const __m256i asked =
          _mm256_sllv_epi32(words, _mm256_andnot_si256(_mm256_srl_epi32(hash, to_bit), bit_mask));
      auto hits = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(asked)));
      for (; hits != 0; hits &= hits - 1) {
        const auto k = static_cast<size_t>(std::countr_zero(hits));
        confirm(run_at(p + k), static_cast<size_t>(p - begin) + k, data, marks, on_match);
      }
    }
#else
    (void)data, (void)marks, (void)on_match;
#endif
    return p;
  }

  template <typename OnMatch>
  void confirm(uint32_t run, size_t at, Bytes data, LiteralMarks& marks, OnMatch& on_match) const {
    const uint32_t slot = hash_of(run) >> entry_shift_;
    const uint32_t end = first_[slot + 1];
    for (uint32_t i = first_[slot]; i < end; ++i) {
      const Entry& entry = entries_[i];
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
  std::vector<uint32_t> first_;  // by the hash of a run: where its entries begin
  std::vector<Entry> entries_;
  unsigned bit_shift_ = 0, entry_shift_ = 0;
  bool gathers_ = false;
};

}  // namespace vong::matcher
