#include "correlator/app/keyed_partition.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "correlator/app/fact.h"
#include "correlator/ingest/limits.h"

namespace vong::correlator {
namespace {

// In front of what is stored for its turn: by these those that no longer hold are left out.
struct Stored {
  uint32_t source, epoch;
  uint32_t log_epoch;  // of the rules, as it was read
  char kind;
};

}  // namespace

KeyedPartition::KeyedPartition(Setup setup, Sinks sinks)
    : setup_(std::move(setup)), sinks_(std::move(sinks)) {
  setup_.engine.reads = false;
  setup_.engine.share = setup_.share;
  visitor_.fact = [this](std::string_view source, uint32_t epoch, const ingest::OrderKey& key,
                         std::string_view fact) {
    if (leads()) note_verdict(fact);
    add(source, epoch, leads() ? facts_order(key) : key, block::kFact, fact);
  };
  visitor_.raised = [this](std::string_view source, uint32_t epoch, const Raised& raised) {
    buffer_.clear();
    write_raised(raised, buffer_);
    add(source, epoch, raised.order, block::kRaised, buffer_);
  };
  visitor_.status = [this](std::string_view json) { take_status(json); };
  visitor_.mark = [this](std::string_view source, const SourceMark& m) { take_mark(source, m); };
  visitor_.rules = [this](bool begins, std::string_view json) { take_rules(begins, json); };
  fresh();
}

void KeyedPartition::fresh() {
  engine_ = std::make_unique<Engine>(*setup_.registry, *setup_.router, setup_.engine,
                                     replaying_ ? replayed_ : *setup_.counters,
                                     [this](const events::Incident& i) { incident(i); });
  if (!leads()) {
    engine_->send_raised([this](const Raised& raised) {
      // What was sent before the replay still holds, unless it is sent anew.
      if (!replaying_ || correcting_) sinks_.raised(epoch_, raised, *engine_);
    });
  }
  std::vector<rules::Diagnostic> reported_before;
  engine_->load(*setup_.rules, reported_before);
  if (!board_ || !correcting_) {  // statuses have no place in event time: nothing to correct
    board_ = std::make_unique<coverage::Board>(
        *setup_.registry, setup_.wanted_rules,
        [this](std::string_view key, std::string_view json) {
          if (!replaying_) sinks_.coverage(key, json);
        },
        setup_.coverage_interval_ns);
  }
  reorder_ = std::make_unique<ingest::ReorderBuffer>(ingest::kReorderBytesMax);
  released_ns_ = SourceMark::kNever;
  late_ = 0;
  stale_ = false;
  told_rules_ = {};
  log_epoch_ = first_epoch_ = 0;
  rules_told_ = false;
}

void KeyedPartition::incident(const events::Incident& incident) {
  if (told_.tell(incident) && !replaying_) sinks_.incident(incident);
  if (swapping_) told_.forget(incident.id);  // its rule is gone: no correction knows of it
}

uint32_t KeyedPartition::source_id(std::string_view name) {
  if (const auto it = source_ids_.find(name); it != source_ids_.end()) return it->second;
  const auto id = static_cast<uint32_t>(sources_.size());
  sources_.emplace_back().is_share = name.starts_with(kSharePrefix);
  source_ids_.emplace(name, id);
  return id;
}

bool KeyedPartition::take(std::string_view block) {
  return read_fact_block(block, *engine_, visitor_);
}

// What the source sent in earlier epochs no longer holds.
void KeyedPartition::note_epoch(SourceMark& source, uint32_t epoch) {
  if (epoch <= source.epoch) return;
  source.epoch = epoch;
  if (!replaying_) ++late_;
}

void KeyedPartition::take_mark(std::string_view source, const SourceMark& mark) {
  SourceMark& s = sources_[source_id(source)];
  note_epoch(s, mark.epoch);
  s.reached_ns = std::max(s.reached_ns, mark.reached_ns);
  s.newest_ns = std::max(s.newest_ns, mark.newest_ns);
  s.idle = mark.idle;
}

void KeyedPartition::take_status(std::string_view json) {
  if (correcting_) return;
  if (const auto status = coverage::read_status(json)) (void)board_->on_status(*status);
}

void KeyedPartition::note_verdict(std::string_view bytes) {
  const FactView fact(bytes);
  if (correcting_ || fact.control() != Control::kVerdict) return;
  const std::string_view who = verdict_author(bytes);
  if (!who.empty()) board_->on_verdict(setup_.registry->find(who), fact.ref.time_ns);
}

void KeyedPartition::add(std::string_view source, uint32_t epoch, const ingest::OrderKey& key,
                         char kind, std::string_view bytes) {
  Stored head;
  std::memset(&head, 0, sizeof head);
  head.source = source_id(source);
  note_epoch(sources_[head.source], epoch);
  head.epoch = epoch;
  head.kind = kind;
  head.log_epoch = log_epoch_;
  stored_.assign(reinterpret_cast<const char*>(&head), sizeof head);
  stored_.append(bytes);
  if (kind == block::kFact) {
    std::memcpy(stored_.data() + sizeof head + offsetof(state::EventRef, rules_epoch), &log_epoch_,
                sizeof log_epoch_);
  }
  if (replaying_) {
    if (auto ok = sorter_->add(key, stored_); !ok) problem_ = ok.error().message;
  } else if (!reorder_->push(key, stored_)) {
    ++late_;
  }
}

void KeyedPartition::process(std::span<const std::string_view> stored) {
  std::string_view facts[ingest::kFactsAtOnce];
  size_t n = 0;
  const auto process_facts = [&] {
    if (n > 0) engine_->process(std::span<const std::string_view>(facts, n));
    n = 0;
  };
  for (const std::string_view bytes : stored) {
    Stored head;
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.epoch < sources_[head.source].epoch) continue;
    const std::string_view rest = bytes.substr(sizeof head);
    if (head.kind == block::kFact) {
      facts[n++] = rest;
      continue;
    }
    process_facts();
    process_raised(rest, head.log_epoch);
  }
  process_facts();
}

void KeyedPartition::process_raised(std::string_view bytes, uint32_t log_epoch) {
  if (read_raised(bytes, raised_) && log_epoch >= engine_->since(raised_.incident_rule))
    engine_->take(raised_);
}

// --- which rules are in force, and since when ---

void KeyedPartition::take_rules(bool begins, std::string_view json) {
  auto read = RulesInForce::parse(json);
  if (!read) return;
  if (!looking_ahead_) log_epoch_ = read->last();
  // What stood before may be gone with old blocks: then nobody knows when these began.
  if (!rules_told_) first_epoch_ = begins && read->last() > 0 ? read->last() - 1 : read->last();
  rules_told_ = true;
  told_rules_ = std::move(*read);
}

void KeyedPartition::look_ahead(std::string_view block) {
  looking_ahead_ = true;
  (void)read_rules_of_block(block, *engine_, visitor_);
  looking_ahead_ = false;
}

// Once all blocks are read again and nothing is processed yet.
void KeyedPartition::apply_rules() {
  if (!correcting_) {
    in_force_ = std::move(told_rules_);
    const std::vector<uint64_t>& prints = engine_->rules().prints;
    const bool begins = !in_force_.since.empty() && !in_force_.is(prints);
    if (!in_force_.is(prints)) in_force_.change(prints, released_ns_);
    if (sinks_.rules) sinks_.rules(begins, in_force_.json());
  }
  RulesInForce known = in_force_;
  known.merge_until(first_epoch_);
  engine_->apply(known);
}

Engine::Swapped KeyedPartition::swap(const sigma::RuleSet& rules) {
  setup_.rules = &rules;
  if (in_force_.since.empty()) in_force_.change(engine_->rules().prints, released_ns_);
  std::vector<rules::Diagnostic> reported_before;
  swapping_ = true;
  const Engine::Swapped swapped =
      engine_->swap(Engine::compile(rules, setup_.engine, reported_before), in_force_.last() + 1,
                    Engine::Campaigns::kStale);
  swapping_ = false;
  stale_ |= swapped.stale;
  reorder_->rewrite(
      [this](std::string_view stored, std::string& out) { return rewrite(stored, out); });
  in_force_.campaigns_since_ns = engine_->campaigns_since_ns();
  if (!in_force_.is(engine_->rules().prints)) {
    in_force_.change(engine_->rules().prints, engine_->now_ns());
    if (sinks_.rules) sinks_.rules(true, in_force_.json());
  }
  return swapped;
}

// What waits for its turn, in the numbers of now. False: it is of rules that are gone.
bool KeyedPartition::rewrite(std::string_view stored, std::string& out) {
  Stored head;
  std::memcpy(&head, stored.data(), sizeof head);
  const std::string_view bytes = stored.substr(sizeof head);
  buffer_.clear();
  if (head.kind == block::kFact) {
    if (!engine_->translate(bytes, buffer_)) return false;
  } else {
    if (!read_raised(bytes, raised_)) return false;
    raised_.incident_rule = engine_->incident_rule_now(raised_.incident_rule);
    if (raised_.incident_rule == incidents::IncidentStore::kGone) return false;
    write_raised(raised_, buffer_);
  }
  out.assign(stored.substr(0, sizeof head));
  out += buffer_;
  return true;
}

// The lowest of those that send. The leader's waits until every share has spoken, and for all of
// them: an idle one stands at the newest event of all.
int64_t KeyedPartition::reached_ns() const {
  int64_t low = INT64_MAX, shares_low = INT64_MAX, newest = SourceMark::kNever;
  size_t shares = 0;
  for (const Source& s : sources_) {
    newest = std::max(newest, s.newest_ns);
    if (s.is_share) {
      ++shares;
      shares_low = std::min(shares_low, s.reached_ns);
    } else if (!s.idle) {
      low = std::min(low, s.reached_ns);
    }
  }
  if (low == INT64_MAX) low = newest;
  if (!leads()) return low;
  return shares < setup_.share.of ? SourceMark::kNever : std::min(low, shares_low);
}

bool KeyedPartition::idle() const {
  return std::all_of(sources_.begin(), sources_.end(), [](const Source& s) { return s.idle; });
}

void KeyedPartition::release() {
  if (has_to_correct()) return;
  if (const int64_t mark = reached_ns(); mark != SourceMark::kNever) release_to(mark);
  tell_figures(false);
}

// What was told once is told again only when it is other: a replay says all of it again.
void KeyedPartition::tell_figures(bool told_before) {
  if (!leads()) return;
  engine_->tell_figures([&](std::string_view key, std::string_view json) {
    if (told_figures_.is_news(key, json) && !told_before) sinks_.coverage(key, json);
  });
}

void KeyedPartition::release_to(int64_t mark_ns) {
  reorder_->release(mark_ns, [this](std::span<const std::string_view> facts) { process(facts); });
  if (mark_ns > released_ns_) engine_->advance(mark_ns);
  released_ns_ = std::max(released_ns_, mark_ns);
  reorder_->skip_to(released_ns_);
}

void KeyedPartition::begin_restore(int64_t reached_ns, uint32_t epoch) {
  replaying_ = true;
  correcting_ = false;
  epoch_ = epoch;
  told_.clear();
  sources_.clear();
  source_ids_.clear();
  fresh();
  released_ns_ = reached_ns;
  sorter_ = std::make_unique<ingest::FactSorter>(ingest::kSortRunBytes);
}

void KeyedPartition::begin_correction() {
  const int64_t reached = released_ns_;
  if (stale_) rules_gone_at_ = timestamp_from_ns(engine_->now_ns());
  replaying_ = correcting_ = true;
  ++epoch_;
  told_.begin_again();
  fresh();
  released_ns_ = reached;
  sorter_ = std::make_unique<ingest::FactSorter>(ingest::kSortRunBytes);
}

Result<> KeyedPartition::end_replay() {
  const int64_t mark = released_ns_;
  apply_rules();
  released_ns_ =
      SourceMark::kNever;  // or deadlines behind the last fact would pass after the replay
  auto sorted = sorter_->finish([&](const ingest::OrderKey& key, std::string_view stored) {
    if (key.time_ns <= mark)
      process(std::span(&stored, 1));
    else
      (void)reorder_->push(key, stored);
  });
  sorter_.reset();
  if (!sorted) return sorted;
  if (!problem_.empty()) return fail(problem_);
  if (mark != SourceMark::kNever) release_to(mark);
  engine_->count_into(*setup_.counters);
  replaying_ = false;
  late_ = 0;
  tell_figures(!correcting_);
  if (!correcting_) return {};
  correcting_ = false;
  ToldIncidents::Correction correction{std::exchange(rules_gone_at_, std::nullopt)};
  if (mark >= INT64_MIN + setup_.retention_ns)
    correction.horizon = timestamp_from_ns(mark - setup_.retention_ns);
  told_.differences(correction, [this](const events::Incident& incident, bool is_new) {
    if (is_new) {
      const bool campaign = incident.kind == events::IncidentKind::kCampaign;
      (campaign ? setup_.counters->campaigns_opened : setup_.counters->incidents_opened).add();
    }
    sinks_.incident(incident);
  });
  told_.forget_before();
  return {};
}

SourceMark KeyedPartition::mark() const {
  SourceMark m;
  m.reached_ns = released_ns_;
  for (const Source& s : sources_) m.newest_ns = std::max(m.newest_ns, s.newest_ns);
  m.epoch = epoch_;
  m.idle = idle() && !has_to_correct();
  return m;
}

}  // namespace vong::correlator
