// What detection keeps with a transaction: which pattern sets have seen their final buffer, and rules that matched in part.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sensor/applayer/core/transaction.h"
#include "sensor/detect/flow_state.h"
#include "sensor/detect/prefilter.h"

namespace vong::detect {

// A rule that is under way in a transaction.
struct StoredRule {
  RuleIndex rule = 0;
  bool done = false;           // fired, or can never match any more
  uint64_t matched = 0;        // bit per engine
  uint64_t file_from = 0;      // file rules: files with a smaller id are done
};

struct TxState : applayer::TransactionAttachment {
  static constexpr size_t kTrackedPrefilters = 128;

  uint32_t generation = 0;     // of the rule set
  applayer::AppProto proto{};  // whose pattern sets `side` speaks of: a flow may get another name (DNS in HTTP/2)
  struct Side {
    std::array<uint64_t, kTrackedPrefilters / 64> scanned{};   // pattern sets whose buffer will not change any more
    uint16_t unfiltered_done = 0;          // lists [0, n) were evaluated at a later progress than their own
    uint16_t events_seen = 0;

    [[nodiscard]] bool is_scanned(size_t i) const { return i < kTrackedPrefilters && (scanned[i / 64] >> (i % 64) & 1) != 0; }
    void set_scanned(size_t i) {
      if (i < kTrackedPrefilters) scanned[i / 64] |= uint64_t{1} << (i % 64);
    }
  } side[kDirections];
  // A buffer that grows: its bytes are searched once, and what was found stays a candidate as long as it grows.
  struct Grown {
    uint16_t prefilter = 0;
    uint8_t direction = 0;
    uint32_t instance = 0;
    uint64_t searched = 0;                       // up to this byte of the whole
    std::vector<RuleIndex> found;
  };
  std::vector<Grown> grown;
  std::vector<StoredRule> stored[kDirections];   // sorted by rule
  std::vector<StoredRule> stored_both;           // rules over both directions
  std::vector<NameId> bits;                      // xbits ... track tx

  [[nodiscard]] Grown& grown_at(int d, size_t prefilter, uint32_t instance) {
    for (Grown& g : grown) {
      if (g.prefilter == prefilter && g.direction == d && g.instance == instance) return g;
    }
    return grown.emplace_back(Grown{static_cast<uint16_t>(prefilter), static_cast<uint8_t>(d), instance, 0, {}});
  }
};

}  // namespace vong::detect
