#include "correlator/app/event_partitions.h"

#include <algorithm>
#include <chrono>

#include "correlator/app/topics.h"
#include "correlator/coverage/board.h"
#include "events/eve_decoder.h"
#include "events/limits.h"

namespace vong::correlator {
namespace {

constexpr size_t kBlockBytes = 128u << 10;
constexpr int64_t kStatusAheadNs = 86'400'000'000'000;

}  // namespace

EventPartitions::EventPartitions(const Options& options, const enrich::Registry& registry,
                                 const routing::Router& router, EngineCounters& totals,
                                 OnlineCounters& online, BlockOutbox& blocks, Outbox& outbox)
    : options_(options),
      registry_(registry),
      router_(router),
      totals_(totals),
      online_(online),
      blocks_(blocks),
      outbox_(outbox) {}

void EventPartitions::load(const sigma::RuleSet& rules) {
  std::vector<rules::Diagnostic> reported_before;
  load(Engine::compile(rules, options_.engine, reported_before));
}

void EventPartitions::load(std::unique_ptr<RuleProgram> program) {
  engine_ = std::make_unique<Engine>(registry_, router_, options_.engine, totals_,
                                     [](const events::Incident&) {});
  engine_->load(std::move(program));
}

void EventPartitions::forget() {
  last_ = nullptr;
  partitions_.clear();
}

void EventPartitions::keep(const std::vector<kafka::TopicPartition>& assigned) {
  last_ = nullptr;
  std::erase_if(partitions_, [&](const auto& p) {
    return std::find(assigned.begin(), assigned.end(), p.first) == assigned.end();
  });
}

void EventPartitions::take_over(const kafka::TopicPartition& name, int64_t next, int64_t end) {
  last_ = nullptr;
  partitions_.erase(name);
  Partition& p =
      partitions_.try_emplace(name, name.topic + "/" + std::to_string(name.partition), options_)
          .first->second;
  p.next = next;
  // Status has today's time, whatever its sensor reads: it moves no event time.
  if (name.topic != kStatusTopic) p.watermark.add_partition(0, next, end);
}

int64_t EventPartitions::next(const kafka::TopicPartition& name) const {
  return partitions_.at(name).next;
}

void EventPartitions::on_end_reached(const kafka::TopicPartition& name) {
  if (const auto it = partitions_.find(name); it != partitions_.end())
    it->second.watermark.on_end_reached(0);
}

// Blocks of records, copied next to each other: the copy is needed for the padding anyhow, and the
// decoder reads a block faster than its records one by one.
size_t EventPartitions::take(std::span<const kafka::Record> records, int64_t wall_ns) {
  taken_ = 0;
  for (size_t i = 0; i < records.size();) {
    buffer_.clear();
    size_t end = i;
    do {
      buffer_.append(records[end].value());
      buffer_.push_back('\n');
    } while (++end < records.size() && buffer_.size() < kBlockBytes);
    const size_t bytes = buffer_.size();
    buffer_.append(events::kRecordPaddingBytes, '\0');
    const std::string_view block = std::string_view(buffer_).substr(0, bytes);
    engine_->expect(block);
    for (size_t at = 0; i < end; ++i) {
      const size_t size = records[i].value().size();
      take(records[i], block.substr(at, size), wall_ns);
      at += size + 1;
    }
    engine_->expect({});
  }
  return taken_;
}

EventPartitions::Partition* EventPartitions::partition_of(const kafka::Record& r) {
  if (last_ == nullptr || last_->first.partition != r.partition() ||
      last_->first.topic != r.topic()) {
    const auto it = partitions_.find({std::string(r.topic()), r.partition()});
    last_ = it == partitions_.end() ? nullptr : &*it;
  }
  return last_ == nullptr ? nullptr : &last_->second;
}

ReadResult EventPartitions::read(const kafka::Record& r, std::string_view value) {
  if (r.topic() == kVerdictsTopic) {
    return engine_->read_verdict(
        value, static_cast<uint64_t>(r.partition()) << 40 | static_cast<uint64_t>(r.offset()));
  }
  RecordSource source;
  source.agency = r.topic().substr(kEventsPrefix.size());
  source.sensor = r.header("sensor").value_or("");
  source.position =
      events::unsigned_of(r.header("seq").value_or("")).value_or(static_cast<uint64_t>(r.offset()));
  return engine_->read(value, source);
}

void EventPartitions::take(const kafka::Record& r, std::string_view value, int64_t wall_ns) {
  Partition* p = partition_of(r);
  if (p == nullptr || r.offset() < p->next) return;
  p->next = r.offset() + 1;
  ++taken_;
  if (r.topic() == kStatusTopic) return take_status(*p, r, value);
  const ReadResult result = read(r, value);
  if (result == ReadResult::kRefused) {
    online_.dead_letters.add();
    outbox_.dead_letter(last_->first, r.offset(), r.value(), engine_->reason());
    return;
  }
  p->newest_ns = std::max(p->newest_ns, engine_->time_ns());
  p->watermark.on_record(0, r.offset(), engine_->sensor_print(), engine_->time_ns(), wall_ns);
  if (result != ReadResult::kFact) return;
  needed_by_.clear();
  engine_->shares_of(engine_->fact(), blocks_.shares(), needed_by_);
  for (const uint32_t share : needed_by_)
    blocks_.add_fact(share, p->name, engine_->key(), engine_->fact());
}

void EventPartitions::take_status(Partition& p, const kafka::Record& r, std::string_view value) {
  const auto refuse = [&](std::string_view reason) {
    online_.dead_letters.add();
    outbox_.dead_letter(last_->first, r.offset(), r.value(), reason);
  };
  const auto status = coverage::read_status(value);
  if (!status) return refuse(status.error().message);
  // The newest status is the board's clock: one that is far ahead would silence all others.
  if (status->time_ns > to_ns(std::chrono::system_clock::now()) + kStatusAheadNs)
    return refuse("status: more than a day ahead of the clock");
  if (registry_.find(status->agency) == enrich::kNoAgency) return refuse("status: unknown sensor");
  blocks_.add_status(p.name, value);
}

bool EventPartitions::tell_marks(int64_t wall_ns) {
  bool news = false;
  for (auto& [name, p] : partitions_) {
    if (name.topic == kStatusTopic) continue;
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
  bool quiet = true;
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
