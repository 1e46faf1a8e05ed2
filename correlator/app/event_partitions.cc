#include "correlator/app/event_partitions.h"

#include <algorithm>
#include <chrono>

#include "correlator/app/live.h"
#include "correlator/coverage/board.h"

namespace vong::correlator {
namespace {

constexpr int64_t kStatusAheadNs = 86'400'000'000'000;

}  // namespace

EventPartitions::EventPartitions(const Options& options, const enrich::Registry& registry,
                                 const routing::Router& router, EngineCounters& totals,
                                 OnlineCounters& online, BlockOutbox& blocks, Outbox& outbox)
    : options_(options),
      registry_(registry),
      router_(router),
      online_(online),
      blocks_(blocks),
      outbox_(outbox),
      reading_(registry, router, options.engine) {
  reading_.count_into(totals);
}

void EventPartitions::compile(RuleReload::Loaded& loaded, const Options& options) {
  loaded.reading = Engine::compile(loaded.rules, options.engine);
  loaded.program = Engine::compile(loaded.rules, Live::settings(options));
}

void EventPartitions::load(RuleReload::Loaded& loaded) {
  reading_.load(std::move(loaded.reading));
  reading_.begin_names();
  engine_ = std::make_unique<Engine>(registry_, router_, Live::settings(options_), uncounted_,
                                     [](const events::Incident&) {});
  engine_->load(std::move(loaded.program));
}

// What is ahead comes again, to whoever reads its partition then.
void EventPartitions::discard() {
  while (auto batch = reading_.take(true)) {
    adopt_names(*batch);
    reading_.give_back(std::move(batch));
  }
  for (auto& [name, p] : partitions_) p.given = p.next;
}

void EventPartitions::forget() {
  discard();
  partitions_.clear();
}

void EventPartitions::keep(const std::vector<kafka::TopicPartition>& assigned) {
  discard();
  std::erase_if(partitions_, [&](const auto& p) {
    return std::find(assigned.begin(), assigned.end(), p.first) == assigned.end();
  });
}

void EventPartitions::take_over(const kafka::TopicPartition& name, int64_t next, int64_t end) {
  partitions_.erase(name);
  Source& p =
      partitions_.try_emplace(name, name.topic + "/" + std::to_string(name.partition), options_)
          .first->second;
  p.holds = Partition::holds_of(name);
  p.next = p.given = next;
  // Status has today's time, whatever its sensor reads: it moves no event time.
  if (p.holds != Partition::Holds::kStatus) p.watermark.add_partition(0, next, end);
}

int64_t EventPartitions::next(const kafka::TopicPartition& name) const {
  return partitions_.at(name).next;
}

// Behind the records before it. Once: it only counts while what was there when the partition was
// taken over is being read.
void EventPartitions::on_end_reached(const kafka::TopicPartition& name, int64_t wall_ns) {
  const auto it = partitions_.find(name);
  if (it == partitions_.end() || it->second.ended) return;
  (void)take_read(0, wall_ns);
  it->second.watermark.on_end_reached(0);
  it->second.ended = true;
}

bool EventPartitions::give(std::span<kafka::Record> records) {
  auto batch = reading_.empty();
  Entry* from = nullptr;
  bool same_partition = false, any = false;
  for (size_t i = 0; i < records.size(); ++i) {
    if (!same_partition) {
      const auto it = partitions_.find({std::string(records[i].topic()), records[i].partition()});
      from = it == partitions_.end() ? nullptr : &*it;
    }
    same_partition = i + 1 < records.size() && records[i + 1].is_of_same_partition(records[i]);
    // Ends here and not with all others: the next one's headers then use the same memory.
    const kafka::Record r = std::move(records[i]);
    if (from == nullptr || r.offset() < from->second.given) continue;
    Source& p = from->second;
    p.given = r.offset() + 1;
    any = true;
    if (p.holds != Partition::Holds::kStatus) {
      batch->add(r, from->first, p, 0);
      continue;
    }
    p.next = p.given;
    take_status(*from, r);
  }
  if (batch->items.empty())
    reading_.give_back(std::move(batch));
  else
    reading_.give(std::move(batch));
  return any;
}

bool EventPartitions::take_read(size_t ahead_max, int64_t wall_ns) {
  bool any = false;
  while (auto batch = reading_.take(reading_.ahead() > ahead_max)) {
    any = true;
    take(*batch, wall_ns);
    reading_.give_back(std::move(batch));
  }
  return any;
}

void EventPartitions::adopt_names(RecordReading::Batch& batch) {
  for (auto& [name, print] : batch.sensors) engine_->adopt_sensor(std::move(name), print);
  for (std::string& name : batch.event_types) engine_->adopt_event_type(std::move(name));
}

void EventPartitions::take(RecordReading::Batch& batch, int64_t wall_ns) {
  adopt_names(batch);
  auto refused = batch.refused.begin();
  const std::string_view facts = batch.facts;
  size_t at = 0;
  for (const RecordReading::Batch::Item& i : batch.items) {
    Source& p = static_cast<Source&>(*i.from);
    p.next = i.offset + 1;
    if (i.result == ReadResult::kRefused) {
      online_.dead_letters.add();
      outbox_.dead_letter(*i.name, i.offset, batch.value(i), *refused++);
      continue;
    }
    p.newest_ns = std::max(p.newest_ns, i.time_ns);
    p.watermark.on_record(0, i.offset, i.sensor, i.time_ns, wall_ns);
    if (i.result != ReadResult::kFact) continue;
    take_fact(p, i, facts.substr(at, i.fact_bytes));
    at += i.fact_bytes;
  }
}

void EventPartitions::take_fact(const Source& p, const RecordReading::Batch::Item& i,
                                std::string_view fact) {
  needed_by_.clear();
  engine_->shares_of(fact, blocks_.shares(), needed_by_);
  for (const uint32_t share : needed_by_) blocks_.add_fact(share, p.name, i.key, fact);
}

void EventPartitions::take_status(Entry& from, const kafka::Record& r) {
  const auto refuse = [&](std::string_view reason) {
    online_.dead_letters.add();
    outbox_.dead_letter(from.first, r.offset(), r.value(), reason);
  };
  const auto status = coverage::read_status(r.value());
  if (!status) return refuse(status.error().message);
  // The newest status is the board's clock: one that is far ahead would silence all others.
  if (status->time_ns > to_ns(std::chrono::system_clock::now()) + kStatusAheadNs)
    return refuse("status: more than a day ahead of the clock");
  if (registry_.find(status->agency) == enrich::kNoAgency) return refuse("status: unknown sensor");
  blocks_.add_status(from.second.name, r.value());
}

bool EventPartitions::tell_marks(int64_t wall_ns) {
  bool news = false;
  for (auto& [name, p] : partitions_) {
    if (p.holds == Partition::Holds::kStatus) continue;
    SourceMark m;
    m.reached_ns = std::max(p.watermark.value(wall_ns), p.told.reached_ns);
    m.newest_ns = p.newest_ns;
    m.idle = p.watermark.idle();
    if (p.spoken && m == p.told) continue;
    for (uint32_t share = 0; share <= blocks_.shares(); ++share) blocks_.add_mark(share, p.name, m);
    p.told = m;
    p.spoken = news = true;
  }
  return news;
}

bool EventPartitions::quiet(int64_t wall_ns) {
  bool quiet = reading_.ahead() == 0;
  for (auto& [name, p] : partitions_) {
    (void)p.watermark.value(wall_ns);
    quiet = quiet && p.watermark.idle();
  }
  return quiet;
}

void EventPartitions::add_offsets(std::vector<kafka::TopicOffset>& out) const {
  for (const auto& [name, p] : partitions_) {
    if (p.next > 0) out.push_back({name.topic, name.partition, p.next, {}});
  }
}

void EventPartitions::show() {
  int64_t active = 0;
  for (auto& [name, p] : partitions_) active += static_cast<int64_t>(p.watermark.active());
  online_.sensors_active.set(active);
}

}  // namespace vong::correlator
