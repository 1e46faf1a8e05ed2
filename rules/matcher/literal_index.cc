#include "rules/matcher/literal_index.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/strings.h"

namespace vong::matcher {
namespace {

// Bits for each literal: of so many places a table says yes to one by chance.
constexpr size_t kBitsPerLiteral = 64;
constexpr unsigned kFewestBits = 10, kMostBits = 20;  // powers of two: 128 bytes, 128 KiB

unsigned bits_for(size_t literals) {
  return std::clamp(static_cast<unsigned>(std::bit_width(literals * kBitsPerLiteral - 1)),
                    kFewestBits, kMostBits);
}

// How common a byte is in traffic, letters in either case; by feel, only the choice of runs depends
// on it.
unsigned commonness(uint8_t c) {
  c = ascii_lower(c);
  if (c == 0 || c == 0xff || c == ' ') return 8;
  if (std::string_view("etaoinsr/.\r\n").find(static_cast<char>(c)) != std::string_view::npos)
    return 6;
  if (std::string_view("jqxzkvw").find(static_cast<char>(c)) != std::string_view::npos) return 3;
  if (c >= 'a' && c <= 'z') return 5;
  if ((c >= '0' && c <= '9') || c == '-' || c == ':' || c == '=') return 4;
  return c < 0x20 ? 3 : 1;
}

unsigned commonness_of(const uint8_t* run) {
  unsigned sum = 0;
  for (size_t i = 0; i < 4; ++i) sum += commonness(run[i]);
  return sum;
}

// One byte over and over, as padding is: data may consist of nothing else.
bool is_padding(uint32_t run) { return run == (run & 0xff) * 0x01010101u; }

}  // namespace

bool LiteralIndex::suits(Bytes text) {
  if (text.size() > kLongest) return false;
  for (size_t at = 0; at + kRun <= text.size(); ++at) {
    if (!is_padding(run_at(text.data() + at))) return true;
  }
  return false;
}

void LiteralIndex::finish() {
  std::vector<Entry> entries;
  absl::flat_hash_map<uint32_t, uint32_t> users;  // how many literals have a run already
  for (uint32_t i = 0; i < literals_.size(); ++i) {
    const LiteralStore::Literal& l = literals_[i];
    const uint8_t* text = literals_.text(l);
    size_t best = 0;
    uint32_t least = ~uint32_t{0};
    for (size_t at = 0; at + kRun <= l.length; ++at) {
      const uint32_t run = run_at(text + at);
      if (is_padding(run)) continue;
      const auto it = users.find(run);
      const uint32_t cost = commonness_of(text + at) + 4 * (it == users.end() ? 0 : it->second);
      if (cost < least) least = cost, best = at;
    }
    const uint32_t run = run_at(text + best);
    ++users[run];
    entries.push_back({run, i, ends_of(text, l.length), static_cast<uint16_t>(best),
                       static_cast<uint16_t>(l.length)});
  }
  fill(entries);
}

void LiteralIndex::fill(const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  const unsigned bits = bits_for(entries.size());
  const auto slots = static_cast<unsigned>(std::bit_width(entries.size() * 2));
  bit_shift_ = 32 - bits;
  entry_shift_ = 32 - slots;
  bits_.assign((size_t{1} << bits) / 32, 0);
  entries_.assign(size_t{1} << slots, Entry{});
  for (const Entry& entry : entries) {
    const uint32_t hash = hash_of(entry.run);
    bits_[hash >> (bit_shift_ + 5)] |= uint32_t{1} << (hash >> bit_shift_ & 31);
    size_t s = hash >> entry_shift_;
    while (entries_[s].literal != kFree) s = (s + 1) & (entries_.size() - 1);
    entries_[s] = entry;
  }
}

size_t LiteralIndex::memory_bytes() const {
  return sizeof *this + literals_.memory_bytes() + bits_.size() * sizeof(uint32_t) +
         entries_.size() * sizeof(Entry);
}

}  // namespace vong::matcher
