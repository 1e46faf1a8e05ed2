#include "sensor/detect/carry_over.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace vong::detect {
namespace {

constexpr RuleIndex kGone = UINT32_MAX;

uint64_t key_of(const TxPrefilter& pf) {
  return std::hash<std::string_view>{}(pf.use->label) ^
         (uint64_t{pf.progress} + 1) * 0x9e3779b97f4a7c15;
}

RuleIndex find_rule(RuleIndex old, const SetIdentity& from, const SetIdentity& to) {
  if (old >= from.rules.size()) return kGone;
  const auto it = to.by_text.find(from.rules[old]);
  return it != to.by_text.end() ? it->second : kGone;
}

void carry_rules(std::vector<StoredRule>& list, const SetIdentity& from, const SetIdentity& to) {
  for (StoredRule& s : list) s.rule = find_rule(s.rule, from, to);
  std::erase_if(list, [](const StoredRule& s) { return s.rule == kGone; });
  std::sort(list.begin(), list.end(),
            [](const StoredRule& a, const StoredRule& b) { return a.rule < b.rule; });
}

void carry_side(TxState::Side& side, const SetIdentity::Tx& from, const SetIdentity::Tx& to) {
  const TxState::Side old = side;
  side.scanned = {};
  for (size_t k = 0; k < to.prefilters.size() && k < TxState::kTrackedPrefilters; ++k) {
    bool found = false, all = true;
    for (size_t i = 0; i < from.prefilters.size(); ++i) {
      if (from.prefilters[i] != to.prefilters[k]) continue;
      found = true;
      all = all && old.is_scanned(i);
    }
    if (found && all) side.set_scanned(k);
  }
  side.unfiltered_done = 0;
  if (old.unfiltered_done == 0 || old.unfiltered_done > from.unfiltered.size()) return;
  const uint8_t done = from.unfiltered[old.unfiltered_done - 1u];
  while (side.unfiltered_done < to.unfiltered.size() && to.unfiltered[side.unfiltered_done] <= done)
    ++side.unfiltered_done;
}

void carry_grown(TxState::Grown& grown, const SetIdentity& from, const SetIdentity& to,
                 const SetIdentity::Tx& old_tx, const SetIdentity::Tx& new_tx) {
  uint16_t place = UINT16_MAX;
  if (grown.prefilter < old_tx.prefilters.size()) {
    const auto it = std::find(new_tx.prefilters.begin(), new_tx.prefilters.end(),
                              old_tx.prefilters[grown.prefilter]);
    if (it != new_tx.prefilters.end())
      place = static_cast<uint16_t>(it - new_tx.prefilters.begin());
  }
  grown.prefilter = place;
  for (RuleIndex& r : grown.found) r = find_rule(r, from, to);
  std::erase(grown.found, kGone);
  std::sort(grown.found.begin(), grown.found.end());
}

}  // namespace

std::shared_ptr<const SetIdentity> SetIdentity::of(uint32_t generation,
                                                   const std::vector<CompiledRule>& rules,
                                                   const Prefilter& prefilter) {
  auto identity = std::make_shared<SetIdentity>();
  identity->generation = generation;
  identity->rules.reserve(rules.size());
  identity->by_text.reserve(rules.size());
  for (const CompiledRule& rule : rules) {
    const uint64_t key = std::hash<std::string_view>{}(rule.text);
    identity->by_text.emplace(key, static_cast<RuleIndex>(identity->rules.size()));
    identity->rules.push_back(key);
  }
  for (size_t p = 0; p < kAppProtoCount; ++p) {
    for (size_t d = 0; d < kDirections; ++d) {
      for (const TxPrefilter& pf : prefilter.tx[p][d].prefilters)
        identity->tx[p][d].prefilters.push_back(key_of(pf));
      for (const TxUnfiltered& u : prefilter.tx[p][d].unfiltered)
        identity->tx[p][d].unfiltered.push_back(u.progress);
    }
  }
  return identity;
}

void carry_over(TxState& state, const SetIdentity& from, const SetIdentity& to) {
  const auto proto = static_cast<size_t>(state.proto);
  for (size_t d = 0; d < kDirections; ++d) {
    carry_rules(state.stored[d], from, to);
    carry_side(state.side[d], from.tx[proto][d], to.tx[proto][d]);
  }
  carry_rules(state.stored_both, from, to);
  for (TxState::Grown& g : state.grown) {
    carry_grown(g, from, to, from.tx[proto][g.direction], to.tx[proto][g.direction]);
  }
  std::erase_if(state.grown, [](const TxState::Grown& g) { return g.prefilter == UINT16_MAX; });
  state.generation = to.generation;
}

}  // namespace vong::detect
