#include "rules/matcher/literal_index.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <chrono>
#include <climits>
#include <numeric>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/strings.h"
#include "rules/matcher/run_cost.h"

namespace vong::matcher {
namespace {

// Bits for each literal: of so many places a table says yes to one by chance.
constexpr size_t kBitsPerLiteral = 64;
constexpr unsigned kFewestBits = 10, kMostBits = 20;  // powers of two: 128 bytes, 128 KiB

unsigned bits_for(size_t literals) {
  return std::clamp(static_cast<unsigned>(std::bit_width(literals * kBitsPerLiteral - 1)),
                    kFewestBits, kMostBits);
}

// What a run that another literal has already loses, in quarter bits (run_cost.h): each entry of a
// run is looked at wherever it stands.
constexpr int kSharing = 2;

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

void LiteralIndex::finish(Way way) {
  std::vector<Entry> entries;
  absl::flat_hash_map<uint32_t, int> users;  // how many literals have a run already
  for (uint32_t i = 0; i < literals_.size(); ++i) {
    const LiteralStore::Literal& l = literals_[i];
    const uint8_t* text = literals_.text(l);
    size_t best = 0;
    int most = INT_MIN;
    for (size_t at = 0; at + kRun <= l.length; ++at) {
      const uint32_t run = run_at(text + at);
      if (is_padding(run)) continue;
      const auto it = users.find(run);
      const int worth =
          static_cast<int>(rarity_of(text + at)) - kSharing * (it == users.end() ? 0 : it->second);
      if (worth > most) most = worth, best = at;
    }
    const uint32_t run = run_at(text + best);
    ++users[run];
    entries.push_back({run, i, ends_of(text, l.length), static_cast<uint16_t>(best),
                       static_cast<uint16_t>(l.length)});
  }
  fill(std::move(entries));
  gathers_ = !empty() && (way == Way::kQuicker ? quicker_way() : way) == Way::kGathered;
}

void LiteralIndex::fill(std::vector<Entry> entries) {
  if (entries.empty()) return;
  const unsigned bits = bits_for(entries.size());
  const auto slots = static_cast<unsigned>(std::bit_width(entries.size() * 2));
  bit_shift_ = 32 - bits;
  entry_shift_ = 32 - slots;
  bits_.assign((size_t{1} << bits) / 32, 0);
  first_.assign((size_t{1} << slots) + 1, 0);
  for (const Entry& entry : entries) {
    const uint32_t hash = hash_of(entry.run);
    bits_[hash >> (bit_shift_ + 5)] |= uint32_t{1} << (hash >> bit_shift_ & 31);
    ++first_[(hash >> entry_shift_) + 1];
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  std::stable_sort(entries.begin(), entries.end(), [this](const Entry& a, const Entry& b) {
    return hash_of(a.run) >> entry_shift_ < hash_of(b.run) >> entry_shift_;
  });
  entries_ = std::move(entries);
}

// Gathering is several times slower on some processors (and with some microcode) than on others:
// the least of a few tries each over the same bytes, a tenth of a millisecond in all.
LiteralIndex::Way LiteralIndex::quicker_way() {
  static const Way way = [] {
    std::vector<uint8_t> data(8192);
    uint32_t state = 1;
    for (uint8_t& c : data)
      c = static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
    const auto least_of = [&data](Way tried) {
      LiteralIndex index;
      for (uint32_t id = 0; id < 64; ++id) {
        index.add(id, as_bytes("literal" + std::to_string(id)), false);
      }
      index.finish(tried);
      using Clock = std::chrono::steady_clock;
      auto least = Clock::duration::max();
      LiteralMarks marks;
      size_t found = 0;
      for (int round = 0; round < 5; ++round) {
        const auto start = Clock::now();
        index.scan(data, marks, [&](uint32_t) { ++found; });
        least = std::min(least, Clock::now() - start);
      }
      assert(found == 0);
      return least;
    };
    return least_of(Way::kGathered) < least_of(Way::kOneByOne) ? Way::kGathered : Way::kOneByOne;
  }();
  return way;
}

size_t LiteralIndex::memory_bytes() const {
  return sizeof *this + literals_.memory_bytes() + bits_.size() * sizeof(uint32_t) +
         first_.size() * sizeof(uint32_t) + entries_.size() * sizeof(Entry);
}

}  // namespace vong::matcher
