#include "correlator/app/keyed_partition.h"

#include <algorithm>
#include <cstring>

#include "correlator/app/fact.h"
#include "correlator/ingest/limits.h"

namespace vong::correlator {
namespace {

// In front of what is stored for its turn: by these those that no longer hold are left out.
struct Stored {
  uint32_t source, epoch;
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
}

void KeyedPartition::incident(const events::Incident& incident) {
  if (told_.tell(incident) && !replaying_) sinks_.incident(incident);
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
  stored_.assign(reinterpret_cast<const char*>(&head), sizeof head);
  stored_.append(bytes);
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
    process_raised(rest);
  }
  process_facts();
}

void KeyedPartition::process_raised(std::string_view bytes) {
  if (read_raised(bytes, raised_)) engine_->take(raised_);
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
  if (late_ > 0) return;
  if (const int64_t mark = reached_ns(); mark != SourceMark::kNever) release_to(mark);
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
  replaying_ = correcting_ = true;
  ++epoch_;
  told_.begin_again();
  fresh();
  released_ns_ = reached;
  sorter_ = std::make_unique<ingest::FactSorter>(ingest::kSortRunBytes);
}

Result<> KeyedPartition::end_replay() {
  const int64_t mark = released_ns_;
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
  if (!correcting_) return {};
  correcting_ = false;
  told_.differences([this](const events::Incident& incident, bool is_new) {
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
  m.idle = idle() && late_ == 0;
  return m;
}

}  // namespace vong::correlator
