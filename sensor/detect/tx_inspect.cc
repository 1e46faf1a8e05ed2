#include <algorithm>

#include "sensor/applayer/core/file.h"
#include "sensor/detect/detector_impl.h"
#include "sensor/detect/limits.h"

namespace vong::detect {

using applayer::BufferDef;
using applayer::Transaction;

namespace {

template <typename Def>
uint8_t progress_of(const Def& def, Direction d) {
  return d == Direction::kToServer ? def.to_server_progress : def.to_client_progress;
}

StoredRule* find_stored(std::vector<StoredRule>& list, RuleIndex i) {
  const auto it = std::lower_bound(list.begin(), list.end(), i, [](const StoredRule& s, RuleIndex x) { return s.rule < x; });
  return it != list.end() && it->rule == i ? &*it : nullptr;
}

}  // namespace

// Of a buffer that grows only what is new is searched, with as much before it as a pattern over the border needs.
void Detector::Impl::scan_buffer(const TxPrefilter& pf, size_t k, uint32_t instance, const applayer::BufferView& buffer, TxState& state) {
  if (!pf.def->streaming || !pf.use->transforms.empty() || instance >= kMaxGrownInstances) {
    scan(*pf.group, buffer.data, tx_candidates);
    return;
  }
  TxState::Grown& grown = state.grown_at(index(rt.direction), k, instance);
  const uint64_t end = buffer.offset + buffer.data.size();
  if (end < grown.searched) grown.searched = 0;   // not the buffer that it was
  if (end > grown.searched) {
    const uint64_t overlap = std::min<uint64_t>(grown.searched, pf.group->max_length - 1);
    const uint64_t from = std::max(grown.searched - overlap, buffer.offset);
    const size_t before = tx_candidates.size();
    const uint8_t refuses = std::exchange(gate_refuses, 0);   // the flow may be established when the buffer is looked at again
    scan(*pf.group, buffer.data.subspan(static_cast<size_t>(from - buffer.offset)), tx_candidates);
    gate_refuses = refuses;
    grown.found.insert(grown.found.end(), tx_candidates.begin() + static_cast<ptrdiff_t>(before), tx_candidates.end());
    std::sort(grown.found.begin(), grown.found.end());
    grown.found.erase(std::unique(grown.found.begin(), grown.found.end()), grown.found.end());
    tx_candidates.resize(before);
    grown.searched = end;
  }
  tx_candidates.insert(tx_candidates.end(), grown.found.begin(), grown.found.end());
}

void Detector::Impl::collect_tx_candidates(Transaction& tx, TxState& state, const TxIndex& index_, bool over) {
  const int d = index(rt.direction);
  const uint8_t progress = tx.progress[static_cast<size_t>(d)];
  for (size_t k = 0; k < index_.prefilters.size(); ++k) {
    const TxPrefilter& pf = index_.prefilters[k];
    if (pf.progress > progress && !over) break;
    if (state.side[d].is_scanned(k)) continue;
    bool complete = true, any = false;
    for (uint32_t i = 0; i < kMaxInstancesPerBuffer; ++i) {
      const applayer::BufferView& buffer = buffers.get(*pf.use, rt.direction, i, counters);
      if (!buffer.present) break;
      any = true;
      complete = complete && buffer.complete;
      scan_buffer(pf, k, i, buffer, state);
      if (!pf.def->multi) break;
    }
    if (progress > pf.progress || over || (any && complete && !pf.def->multi && !pf.def->streaming)) state.side[d].set_scanned(k);
  }
  TxState::Side& side = state.side[d];
  const auto& events = tx.events();
  for (; side.events_seen < events.size(); ++side.events_seen) {
    const auto it = index_.by_event.find(events[side.events_seen]);
    if (it != index_.by_event.end()) tx_candidates.insert(tx_candidates.end(), it->second.begin(), it->second.end());
  }
  for (size_t k = side.unfiltered_done; k < index_.unfiltered.size(); ++k) {
    const TxUnfiltered& u = index_.unfiltered[k];
    if (u.progress > progress && !over) break;
    tx_candidates.insert(tx_candidates.end(), u.rules.begin(), u.rules.end());
    if (progress > u.progress && side.unfiltered_done == k) side.unfiltered_done = static_cast<uint16_t>(k + 1);
  }
  tx_candidates.insert(tx_candidates.end(), index_.conditional.begin(), index_.conditional.end());
  tx_candidates.insert(tx_candidates.end(), stream_tx_candidates.begin(), stream_tx_candidates.end());
  for (const StoredRule& s : state.stored[d]) {
    if (!s.done) tx_candidates.push_back(s.rule);
  }
  for (const StoredRule& s : state.stored_both) {
    if (!s.done) tx_candidates.push_back(s.rule);
  }
  std::sort(tx_candidates.begin(), tx_candidates.end());
  tx_candidates.erase(std::unique(tx_candidates.begin(), tx_candidates.end()), tx_candidates.end());
}

Detector::Impl::EngineResult Detector::Impl::run_buffer_engine(const TxEngine& e, Transaction& tx, Direction at, bool over) {
  const BufferDef* def = e.use->buffer->def(rt.proto);
  if (def == nullptr) return EngineResult::kSkip;
  const uint8_t needed = progress_of(*def, at);
  if (needed == BufferDef::kNotHere) return EngineResult::kSkip;
  const uint8_t progress = tx.progress[static_cast<size_t>(index(at))];
  const bool last = over || progress > needed;
  if (progress < needed && !over) return EngineResult::kNoMatchYet;
  bool all_complete = true, any = false;
  for (uint32_t i = 0; i < kMaxInstancesPerBuffer; ++i) {
    const applayer::BufferView& buffer = buffers.get(*e.use, at, i, counters);
    if (!buffer.present) break;
    any = true;
    all_complete = all_complete && buffer.complete;
    const size_t captures = rt.captures.size(), evidence_before = rt.evidence.size();
    if (!e.nodes.empty() || !e.absent_matches) {
      if (detect::inspect(rt, e.nodes, BufferInput{buffer.data, buffer.offset, buffer.complete || last, e.use->buffer->name})) return EngineResult::kMatch;
    }
    rt.captures.resize(std::min(captures, rt.captures.size()));
    rt.evidence.resize(std::min(evidence_before, rt.evidence.size()));
    if (!def->multi) break;
  }
  if (!any && e.absent_matches && last) return EngineResult::kMatch;
  if (last || (any && all_complete && !def->multi && !def->streaming)) return EngineResult::kNever;
  return EngineResult::kNoMatchYet;
}

Detector::Impl::EngineResult Detector::Impl::run_number_engine(const NumberCheck& check, Transaction& tx, Direction at, bool over) {
  const applayer::NumberDef* def = check.number->by_proto[static_cast<size_t>(rt.proto)];
  if (def == nullptr) return EngineResult::kSkip;
  const uint8_t needed = progress_of(*def, at), progress = tx.progress[static_cast<size_t>(index(at))];
  if (needed == BufferDef::kNotHere) return EngineResult::kSkip;
  if (progress < needed && !over) return EngineResult::kNoMatchYet;
  const bool last = over || progress > needed;
  using Mode = NumberCheck::Mode;
  uint64_t count = 0, hits = 0;
  bool match = false;
  for (uint32_t i = 0; i < kMaxInstancesPerBuffer; ++i) {
    const auto value = def->get(tx, at, i);
    if (!value) break;
    const bool hit = check.test.matches(*value);
    ++count;
    if (hit) ++hits;
    if (check.mode == Mode::kIndex && check.index >= 0 && i == static_cast<uint32_t>(check.index)) match = hit;
    if (!def->multi) break;
  }
  switch (check.mode) {
    case Mode::kAny: match = hits > 0; break;
    case Mode::kAll: match = count > 0 && hits == count; break;
    case Mode::kAllOrNone: match = hits == count; break;
    case Mode::kCount: match = check.test.matches(count); break;
    case Mode::kIndex:
      if (check.index < 0 && count >= static_cast<uint64_t>(-check.index)) {
        const auto value = def->get(tx, at, static_cast<uint32_t>(count - static_cast<uint64_t>(-check.index)));
        match = value && check.test.matches(*value);
      }
      break;
  }
  if (match) return EngineResult::kMatch;
  return last ? EngineResult::kNever : EngineResult::kNoMatchYet;
}

// All file keywords of a rule must fit one and the same file.
Detector::Impl::EngineResult Detector::Impl::run_file_engines(const RuleBody& b, Transaction& tx, Direction at, bool over, uint64_t from, uint64_t& id) {
  applayer::FileContainer* files = tx.files(at);
  if (files == nullptr) return over ? EngineResult::kNever : EngineResult::kNoMatchYet;
  for (applayer::File& file : files->files()) {
    if (file.id < from) continue;
    rt.file = &file;
    bool fits = true;
    for (const TxEngine& e : b.engines) {
      if (e.kind != EngineKind::kFile || !e.dirs[index(at)]) continue;
      if (!e.condition->match(rt)) {
        fits = false;
        break;
      }
    }
    if (fits) {
      id = file.id;
      return EngineResult::kMatch;
    }
  }
  rt.file = nullptr;
  return over ? EngineResult::kNever : EngineResult::kNoMatchYet;
}

Detector::Impl::EngineResult Detector::Impl::run_engine(const TxEngine& e, Transaction& tx, Direction at, bool over) {
  switch (e.kind) {
    case EngineKind::kBuffer: return run_buffer_engine(e, tx, at, over);
    case EngineKind::kNumber: return run_number_engine(*e.number, tx, at, over);
    case EngineKind::kMatcher: {
      const applayer::MatcherDef* def = e.matcher->matcher->by_proto[static_cast<size_t>(rt.proto)];
      if (def == nullptr) return EngineResult::kSkip;
      const uint8_t needed = progress_of(*def, at), progress = tx.progress[static_cast<size_t>(index(at))];
      if (needed == BufferDef::kNotHere) return EngineResult::kSkip;
      if (progress < needed && !over) return EngineResult::kNoMatchYet;
      for (const auto& [app_proto, matcher] : e.matcher->parsed) {
        if (app_proto == rt.proto && matcher->match(tx, at)) return EngineResult::kMatch;
      }
      return over || progress > needed ? EngineResult::kNever : EngineResult::kNoMatchYet;
    }
    case EngineKind::kEvent: {
      const auto& events = tx.events();
      const bool there = std::find(events.begin(), events.end(), e.event) != events.end();
      return there ? EngineResult::kMatch : over ? EngineResult::kNever : EngineResult::kNoMatchYet;
    }
    case EngineKind::kStream: {
      bool stream_match = false;
      return payload_fits(*rt.rule->body, stream_match) ? EngineResult::kMatch : over ? EngineResult::kNever : EngineResult::kNoMatchYet;
    }
    case EngineKind::kCondition:
      return e.condition->match(rt) ? EngineResult::kMatch : over ? EngineResult::kNever : EngineResult::kNoMatchYet;
    case EngineKind::kProgress: {
      if (!e.complete_only) return EngineResult::kMatch;
      const auto d = static_cast<size_t>(index(at));
      const bool complete = over || (app->def != nullptr && tx.progress[d] >= app->def->complete[d]);
      return complete ? EngineResult::kMatch : EngineResult::kNoMatchYet;
    }
    case EngineKind::kFile: break;   // run_file_engines
  }
  return EngineResult::kSkip;
}

void Detector::Impl::evaluate_tx_rule(RuleIndex i, Transaction& tx, TxState& state, bool over) {
  const CompiledRule& rule = set->rules[i];
  const RuleBody& b = *rule.body;
  const int d = index(rt.direction);
  auto& list = b.both_directions ? state.stored_both : state.stored[d];
  StoredRule* stored = find_stored(list, i);
  if (stored != nullptr && stored->done) return;
  bool stream_match = false;
  if (stored == nullptr) {
    if (!packet_part_fits(rule, stream_match, false)) return;
  } else {
    rt.rule = &rule;
    rt.captures.clear();
    rt.evidence.clear();
    rt.contexts.clear();
    ++counters.rules_evaluated;
  }
  uint64_t matched_bits = stored != nullptr ? stored->matched : 0, file_id = 0;
  const uint64_t file_from = stored != nullptr ? stored->file_from : 0;
  bool pending = false, never = false, file_rule = false, file_done = false;
  int asked = 0;
  for (size_t k = 0; k < b.engines.size() && !never; ++k) {
    const TxEngine& e = b.engines[k];
    const uint64_t bit = uint64_t{1} << k;
    if (matched_bits & bit) {
      ++asked;
      continue;
    }
    if (!e.dirs[d] && !b.both_directions) continue;
    const Direction at = e.dirs[d] ? rt.direction : opposite(rt.direction);
    const bool at_end = at == rt.direction ? over : tx.inspected[static_cast<size_t>(index(at))];
    EngineResult r = EngineResult::kSkip;
    if (e.kind == EngineKind::kFile) {
      file_rule = true;
      if (file_done) continue;
      file_done = true;
      r = run_file_engines(b, tx, at, at_end, file_from, file_id);
    } else {
      r = run_engine(e, tx, at, at_end);
    }
    switch (r) {
      case EngineResult::kMatch:
        ++asked;
        if (e.kind != EngineKind::kFile) matched_bits |= bit;
        break;
      case EngineResult::kNoMatchYet: pending = true; break;
      case EngineResult::kNever: never = true; break;
      case EngineResult::kSkip: case EngineResult::kNotHere: break;
    }
  }
  const bool fires = !pending && !never && asked > 0;
  const bool worth_keeping = fires || (pending && (matched_bits != 0 || !b.has_changing_tests()));
  if (stored == nullptr && worth_keeping && !never) {
    if (list.size() >= kMaxStoredRulesPerTransaction) {
      ++counters.tx_state_full;
    } else {
      const auto at = std::lower_bound(list.begin(), list.end(), i, [](const StoredRule& s, RuleIndex x) { return s.rule < x; });
      stored = &*list.insert(at, StoredRule{i, false, 0, file_from});
    }
  }
  if (stored != nullptr) {
    stored->matched = matched_bits;
    if (never) stored->done = true;
    if (fires) {
      if (file_rule) stored->file_from = file_id + 1;
      else stored->done = true;
    }
  }
  if (fires) matched(i, &tx, false, file_rule ? std::optional<uint64_t>(file_id) : std::nullopt);
  rt.file = nullptr;
}

void Detector::Impl::adopt(TxState& state) {
  for (const auto& identity : identities) {
    if (identity->generation == state.generation) return carry_over(state, *identity, *set->identity);
  }
  state = TxState();   // new, or many reloads old
  state.generation = set->generation;
}

void Detector::Impl::inspect_transaction(Transaction& tx, const TxIndex& index_, const applayer::ProtocolDef&, bool over) {
  if (!tx.detect_state) tx.detect_state = std::make_unique<TxState>();
  auto& state = static_cast<TxState&>(*tx.detect_state);
  if (state.generation != set->generation) {
    adopt(state);
  }
  if (state.proto != rt.proto) {
    for (TxState::Side& side : state.side) side = {};
    state.proto = rt.proto;
  }
  rt.tx = &tx;
  rt.tx_bits = &state.bits;
  buffers.start(tx, rt.proto);
  tx_candidates.clear();
  collect_tx_candidates(tx, state, index_, over);
  counters.candidates += tx_candidates.size();
  for (const RuleIndex i : tx_candidates) {
    if (may_try(set->rules[i])) evaluate_tx_rule(i, tx, state, over);
  }
  rt.tx = nullptr;
  rt.tx_bits = nullptr;
}

void Detector::Impl::inspect_transactions() {
  if (app == nullptr || !app->parser || app->def == nullptr) return;
  const auto d = static_cast<size_t>(index(rt.direction));
  const applayer::ProtocolDef& def = *app->def;
  const TxIndex& index_ = set->prefilter.tx[static_cast<size_t>(rt.proto)][d];
  for (auto& pointer : app->parser->transactions) {
    Transaction& tx = *pointer;
    for (size_t x = 0; x < kDirections; ++x) {
      if (!tx.has_direction[x]) tx.inspected[x] = true;
    }
    if (tx.skip_inspection) tx.inspected = {true, true};
    if (tx.inspected[d]) continue;
    const bool complete = tx.progress[d] >= def.complete[d];
    const bool over = complete || rt.packet->is_pseudo || app->failed || app->ended;
    if (index_.any && (tx.updated[d] || over || !stream_tx_candidates.empty())) inspect_transaction(tx, index_, def, over);
    tx.updated[d] = false;
    if (over) tx.inspected[d] = true;
  }
}

}  // namespace vong::detect
