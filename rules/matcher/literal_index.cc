#include "rules/matcher/literal_index.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace vong::matcher {
namespace {

// Bits for each run: of so many places a table says yes to one by chance. Many while the table is
// small beside the caches.
constexpr size_t kBitsPerRun = 64, kBitsPerRunOfSmall = 256;
constexpr unsigned kFewestBits = 12, kSmallBits = 18,
                   kMostBits = 22;  // powers of two: 512 bytes, 32 KiB, 512 KiB

unsigned bits_for(size_t runs) {
  const auto width = [&](size_t bits_per_run) {
    return static_cast<unsigned>(std::bit_width(runs * bits_per_run - 1));
  };
  return std::clamp(std::max(std::min(width(kBitsPerRunOfSmall), kSmallBits), width(kBitsPerRun)),
                    kFewestBits, kMostBits);
}

// How common a byte is in traffic; by feel, only the choice of runs depends on it.
unsigned commonness(uint8_t c) {
  if (c == 0 || c == 0xff || c == ' ') return 8;
  if (c == '\r' || c == '\n' || c == '.' || c == '/' || c == 'e' || c == 't') return 5;
  if (c >= 'a' && c <= 'z') return 4;
  if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return 3;
  return c < 0x20 ? 3 : 1;
}

unsigned commonness_of(const uint8_t* run) {
  unsigned sum = 0;
  for (size_t i = 0; i < 4; ++i) sum += commonness(run[i]);
  return sum;
}

// One byte over and over, as padding is: data may consist of nothing else.
bool is_padding(const uint8_t* run) {
  return run[0] == run[1] && run[1] == run[2] && run[2] == run[3];
}
bool any_padding(const uint8_t* runs, size_t width) {
  for (size_t k = 0; k < width; ++k) {
    if (is_padding(runs + k)) return true;
  }
  return false;
}

}  // namespace

void LiteralIndex::add(uint32_t id, Bytes text, bool nocase) {
  literals_.push_back(
      {id, static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(text.size()), nocase});
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  ids_ = std::max<size_t>(ids_, size_t{id} + 1);
}

bool LiteralIndex::suits(Bytes text) {
  if (text.size() > kLongest) return false;
  for (size_t at = 0; at + kShortest <= text.size(); ++at) {
    if (!any_padding(text.data() + at, kStride)) return true;
  }
  return false;
}

void LiteralIndex::finish() {
  std::vector<std::pair<uint32_t, Place>> runs;
  absl::flat_hash_map<uint32_t, uint32_t> users;  // how many literals have a run already
  std::vector<uint64_t> costs;                    // of the runs of the literal in hand, by place
  for (uint32_t i = 0; i < literals_.size(); ++i) {
    const Literal& l = literals_[i];
    const uint8_t* text = bytes_.data() + l.begin;
    costs.clear();
    for (size_t at = 0; at + kRun <= l.length; ++at) {
      const auto it = users.find(run_at(text + at));
      costs.push_back(commonness_of(text + at) + 4 * (it == users.end() ? 0 : it->second));
    }
    size_t best = 0;
    uint64_t least = ~uint64_t{0};
    for (size_t at = 0; at + kStride <= costs.size(); ++at) {
      if (any_padding(text + at, kStride)) continue;
      const uint64_t cost = std::accumulate(&costs[at], &costs[at] + kStride, uint64_t{0});
      if (cost < least) least = cost, best = at;
    }
    for (size_t k = 0; k < kStride; ++k) {
      const auto offset = static_cast<uint32_t>(best + k);
      const uint32_t run = run_at(text + offset);
      ++users[run];
      runs.push_back({run,
                      {ends_of(text, l.length), i, static_cast<uint16_t>(offset),
                       static_cast<uint16_t>(l.length)}});
    }
  }
  fill(runs);
}

void LiteralIndex::fill(std::vector<std::pair<uint32_t, Place>>& runs) {
  if (runs.empty()) return;
  Table& table = table_;
  std::stable_sort(runs.begin(), runs.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const unsigned bits = bits_for(runs.size());
  const unsigned slots = static_cast<unsigned>(std::bit_width(runs.size() * 2));
  table.bit_shift = 32 - bits;
  table.slot_shift = 32 - slots;
  table.bits.assign((size_t{1} << bits) / 64, 0);
  table.slots.assign(size_t{1} << slots, Slot{});
  table.places.reserve(runs.size());
  for (size_t i = 0; i < runs.size();) {
    const uint32_t run = runs[i].first, hash = hash_of(run);
    Slot slot{run, static_cast<uint32_t>(i), 0};
    for (; i < runs.size() && runs[i].first == run; ++i, ++slot.count)
      table.places.push_back(runs[i].second);
    const uint32_t bit = hash >> table.bit_shift;
    table.bits[bit / 64] |= uint64_t{1} << (bit % 64);
    size_t s = hash >> table.slot_shift;
    while (table.slots[s].count != 0) s = (s + 1) & (table.slots.size() - 1);
    table.slots[s] = slot;
  }
}

size_t LiteralIndex::memory_bytes() const {
  return sizeof *this + literals_.size() * sizeof(Literal) + bytes_.size() +
         table_.bits.size() * sizeof(uint64_t) + table_.slots.size() * sizeof(Slot) +
         table_.places.size() * sizeof(Place);
}

}  // namespace vong::matcher
