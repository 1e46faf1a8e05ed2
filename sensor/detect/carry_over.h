// A reload meets transactions that are under way: what is known of them under the old rule set's
// numbers is carried over to the new one's. A rule that has fired on a transaction does not fire
// again, a rule that has matched in part goes on, a buffer that was searched is not searched again;
// so a reload that does not change a rule does not change its alerts. A rule that is new is tried
// on what comes after.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sensor/detect/compiled_rule.h"
#include "sensor/detect/prefilter.h"
#include "sensor/detect/tx_state.h"

namespace vong::detect {

// What of a rule set is needed to read states that were made under it. Small: it outlives the set.
struct SetIdentity {
  uint32_t generation = 0;
  std::vector<uint64_t> rules;  // by index: of its text
  absl::flat_hash_map<uint64_t, RuleIndex> by_text;
  struct Tx {
    std::vector<uint64_t> prefilters;  // by index: of buffer, transforms and progress
    std::vector<uint8_t> unfiltered;   // progress by index
  };
  std::array<std::array<Tx, kDirections>, kAppProtoCount> tx;

  [[nodiscard]] static std::shared_ptr<const SetIdentity> of(uint32_t generation,
                                                             const std::vector<CompiledRule>& rules,
                                                             const Prefilter& prefilter);
};

// Rewrites `state`, made under `from`, for `to`.
void carry_over(TxState& state, const SetIdentity& from, const SetIdentity& to);

}  // namespace vong::detect
