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
    uint32_t files_seen = 0;
  } side[kDirections];
  std::vector<StoredRule> stored[kDirections];   // sorted by rule
  std::vector<StoredRule> stored_both;           // rules over both directions
  std::vector<NameId> bits;                      // xbits ... track tx

  [[nodiscard]] bool is_scanned(int d, size_t i) const {
    return i < kTrackedPrefilters && (side[d].scanned[i / 64] >> (i % 64) & 1) != 0;
  }
  void set_scanned(int d, size_t i) {
    if (i < kTrackedPrefilters) side[d].scanned[i / 64] |= uint64_t{1} << (i % 64);
  }
};

}  // namespace vong::detect
