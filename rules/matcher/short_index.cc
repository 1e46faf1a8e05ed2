#include "rules/matcher/short_index.h"

#include <bit>

namespace vong::matcher {

void ShortIndex::finish() {
  size_t pairs = 0;
  for (uint32_t i = 0; i < literals_.size(); ++i) pairs += literals_[i].length >= 2 ? 1 : 0;
  const auto slots = static_cast<unsigned>(std::bit_width(pairs * 2));
  entry_shift_ = 32 - slots;
  if (pairs != 0) entries_.assign(size_t{1} << slots, Entry{});
  for (uint32_t i = 0; i < literals_.size(); ++i) {
    const LiteralStore::Literal& l = literals_[i];
    if (l.length < 2) continue;
    const uint32_t pair = pair_at(literals_.text(l)), hash = hash_of(pair);
    const uint32_t bit = hash >> (32 - kBits);
    bits_[bit / 32] |= uint32_t{1} << (bit % 32);
    size_t s = hash >> entry_shift_;
    while (entries_[s].literal != kFree) s = (s + 1) & (entries_.size() - 1);
    entries_[s] = {pair, i};
  }
  for (size_t c = 0; c < 256; ++c) {
    const auto byte = static_cast<uint8_t>(c);
    first_single_[c] = static_cast<uint32_t>(singles_.size());
    for (uint32_t i = 0; i < literals_.size(); ++i) {
      const LiteralStore::Literal& l = literals_[i];
      if (l.length == 1 && literals_.stands(l, &byte)) singles_.push_back(l.id);
    }
  }
  first_single_[256] = static_cast<uint32_t>(singles_.size());
}

size_t ShortIndex::memory_bytes() const {
  return sizeof *this + literals_.memory_bytes() + entries_.size() * sizeof(Entry) +
         singles_.size() * sizeof(uint32_t);
}

}  // namespace vong::matcher
