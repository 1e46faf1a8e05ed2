// Records in, facts to where they wait for their turn, and on from there.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "correlator/app/broker_run.h"
#include "correlator/app/online_run.h"
#include "correlator/app/topics.h"

namespace vong::correlator {
namespace {

constexpr int64_t kStatusAheadNs = 86'400'000'000'000;

int64_t now_ns() { return to_ns(std::chrono::system_clock::now()); }  // of the calendar

}  // namespace

// Before the record is counted: who sees all records counted and then `settled` knows that they
// are in the incidents.
void OnlineRun::unsettle() {
  settled_ = false;
  online_.settled.set(0);
}

// Records that are wanted go to the reading thread; a sensor's status stands for itself.
void OnlineRun::give_all() {
  if (records_.empty()) return;
  auto batch = reading_.empty();
  bool same_partition = false;
  for (size_t i = 0; i < records_.size(); ++i) {
    Partitions::Entry* from = partitions_.of(records_[i], same_partition);
    same_partition = i + 1 < records_.size() && records_[i + 1].is_of_same_partition(records_[i]);
    // Ends here and not with all others: the next one's headers then use the same memory.
    const kafka::Record r = std::move(records_[i]);
    if (from == nullptr || !is_wanted(r, from->second)) continue;
    Partition& p = from->second;
    if (p.holds != Partition::Holds::kStatus) {
      batch->add(r, from->first, p, p.epoch_of(r.offset()));
      continue;
    }
    p.next = p.given;
    consumed_ = true;
    take_status(r);
  }
  if (batch->items.empty()) return reading_.give_back(std::move(batch));
  unsettle();
  reading_.give(std::move(batch));
}

bool OnlineRun::is_wanted(const kafka::Record& r, Partition& p) {
  if (replaying_ && r.offset() >= p.committed) {  // it comes again once the replay is over
    p.reached = p.overshot = true;
    return false;
  }
  if (r.offset() < p.given) return false;
  p.given = r.offset() + 1;
  return true;
}

// What has been read, until no more than `ahead_max` batches are ahead.
void OnlineRun::take_read(size_t ahead_max) {
  while (auto batch = reading_.take(reading_.ahead() > ahead_max)) {
    take(*batch);
    reading_.give_back(std::move(batch));
  }
}

void OnlineRun::take(RecordReading::Batch& batch) {
  const int64_t now = wall_ns();
  for (auto& [name, print] : batch.sensors) live_->engine.adopt_sensor(std::move(name), print);
  for (std::string& name : batch.event_types) live_->engine.adopt_event_type(std::move(name));
  consumed_ = true;
  auto refused = batch.refused.begin();
  const std::string_view facts = batch.facts;
  size_t at = 0;
  for (const RecordReading::Batch::Item& i : batch.items) {
    Partition& p = *i.from;
    p.next = i.offset + 1;
    if (i.result == ReadResult::kRefused) {
      dead_letter(*i.name, i.offset, batch.value(i), *refused++);
      continue;
    }
    if (p.cut) {
      stored_since_ns_ = std::max(stored_since_ns_, i.time_ns);
      p.cut = false;
    }
    if (p.holds == Partition::Holds::kVerdicts) board_.on_verdict(i.verdict_agency, i.time_ns);
    live_->watermark.on_record(p.index, i.offset, i.sensor, i.time_ns, now);
    if (i.result != ReadResult::kFact) continue;
    take_fact(i.key, facts.substr(at, i.fact_bytes));
    at += i.fact_bytes;
  }
}

void OnlineRun::take_fact(const ingest::OrderKey& key, std::string_view fact) {
  if (replaying_) {
    if (auto ok = live_->sorter.add(key, fact); !ok) spdlog::error("{}", ok.error().message);
  } else if (!live_->reorder.push(key, fact)) {
    online_.late_facts.add();
    if (late_facts_++ == 0) late_since_ns_ = wall_ns();
  }
}

// Behind the records before it. Each partition's once: it only counts while what was there when the
// state was begun is being read.
void OnlineRun::note_ends() {
  for (const kafka::TopicPartition& name : link_->consumer.ended()) {
    Partition* p = partitions_.find(name);
    if (p == nullptr || p->ended) continue;
    take_read(0);
    live_->watermark.on_end_reached(p->index);
    p->reached = p->ended = true;
  }
}

// Never among the events: a status has today's time, whatever its sensor reads.
void OnlineRun::take_status(const kafka::Record& r) {
  const auto refuse = [&](std::string_view reason) {
    dead_letter({std::string(r.topic()), r.partition()}, r.offset(), r.value(), reason);
  };
  const auto status = coverage::read_status(r.value());
  if (!status) return refuse(status.error().message);
  // The newest status is the board's clock: one that is far ahead would silence all others.
  if (status->time_ns > now_ns() + kStatusAheadNs)
    return refuse("status: more than a day ahead of the clock");
  if (!board_.on_status(*status)) return refuse("status: unknown sensor");
  coverage_changed_ = true;
}

void OnlineRun::show_coverage() {
  coverage_changed_ = false;
  const coverage::Summary s = board_.summary();
  online_.sensors_registered.set(static_cast<int64_t>(s.sensors_registered));
  online_.sensors_alive.set(static_cast<int64_t>(s.sensors_alive));
  online_.agencies_complete.set(static_cast<int64_t>(s.agencies_complete));
  online_.national_percent.set(s.national_percent());
}

void OnlineRun::release() {
  if (coverage_changed_) show_coverage();
  const int64_t mark = live_->watermark.value(wall_ns());
  if (mark == Watermark::kNever) return;
  release_to(mark);
  if (live_->watermark.idle() && !settled_ && reading_.ahead() == 0) {
    live_->engine.tell_untold();
    settled_ = true;
  }
  online_.watermark_seconds.set(mark / 1'000'000'000);
  online_.sensors_active.set(static_cast<int64_t>(live_->watermark.active()));
  online_.open_incidents.set(static_cast<int64_t>(live_->engine.open_incidents()));
  online_.keys.set(static_cast<int64_t>(live_->engine.keys()));
  online_.lag_records.set(link_->consumer.lag());
}

void OnlineRun::release_to(int64_t mark) {
  live_->reorder.release(
      mark, [this](std::span<const std::string_view> facts) { live_->engine.process(facts); });
  if (mark > live_->released_ns) live_->engine.advance(mark);
  live_->released_ns = std::max(live_->released_ns, mark);
  live_->reorder.skip_to(live_->released_ns);
}

// What was told once is told again only when it is other: a replay says all of it again.
void OnlineRun::tell_figures(bool told_before) {
  live_->engine.tell_figures([&](std::string_view key, std::string_view json) {
    if (told_figures_.is_news(key, json) && !told_before)
      outbox_.add(std::string(kCoverageTopic), key, json);
  });
}

}  // namespace vong::correlator
