#include "correlator/app/record_reading.h"

#include <algorithm>

#include "correlator/app/topics.h"
#include "events/eve_decoder.h"
#include "events/limits.h"

namespace vong::correlator {
namespace {

constexpr size_t kBlockBytes = 128u << 10;

}  // namespace

void RecordReading::Batch::add(const kafka::Record& r, const kafka::TopicPartition& name,
                               Partition& from, uint32_t epoch) {
  Item item;
  item.name = &name;
  item.from = &from;
  item.offset = r.offset();
  item.position = events::unsigned_of(r.header("seq").value_or(""))
                      .value_or(static_cast<uint64_t>(item.offset));
  item.epoch = epoch;
  add(r.value(), r.header("sensor").value_or(""), item);
}

void RecordReading::Batch::add(std::string_view value, std::string_view sensor_name, Item item) {
  if (!items.empty()) {  // mostly the same as that of the record before
    item.sensor_at = items.back().sensor_at;
    item.sensor_bytes = items.back().sensor_bytes;
  }
  if (std::string_view(sensor_names).substr(item.sensor_at, item.sensor_bytes) != sensor_name) {
    item.sensor_at = static_cast<uint32_t>(sensor_names.size());
    item.sensor_bytes = static_cast<uint32_t>(sensor_name.size());
    sensor_names.append(sensor_name);
  }
  item.value_at = static_cast<uint32_t>(values.size());
  item.value_bytes = static_cast<uint32_t>(value.size());
  values.append(value);
  values.push_back('\n');
  items.push_back(item);
}

void RecordReading::Batch::clear() {
  items.clear();
  values.clear();
  sensor_names.clear();
  facts.clear();
  refused.clear();
  sensors.clear();
  event_types.clear();
}

RecordReading::RecordReading(const enrich::Registry& registry, const routing::Router& router,
                             const EngineSettings& settings)
    : engine_(registry, router, settings, uncounted_, [](const events::Incident&) {}),
      thread_([this] { work(); }) {}

RecordReading::~RecordReading() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    given_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

// The numbers of sensors and event types stay.
void RecordReading::load(std::unique_ptr<RuleProgram> program) {
  if (loaded_)
    (void)engine_.swap(std::move(program), 0);
  else
    engine_.load(std::move(program));
  loaded_ = true;
}

std::unique_ptr<RecordReading::Batch> RecordReading::empty() {
  if (spare_.empty()) return std::make_unique<Batch>();
  auto batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

void RecordReading::give(std::unique_ptr<Batch> batch) {
  ++ahead_;
  const std::lock_guard lock(mutex_);
  given_.push_back(std::move(batch));
  changed_.notify_all();
}

std::unique_ptr<RecordReading::Batch> RecordReading::take(bool wait) {
  if (ahead_ == 0) return nullptr;
  std::unique_lock lock(mutex_);
  if (wait) changed_.wait(lock, [this] { return !done_.empty(); });
  if (done_.empty()) return nullptr;
  auto batch = std::move(done_.front());
  done_.pop_front();
  --ahead_;
  return batch;
}

void RecordReading::give_back(std::unique_ptr<Batch> batch) {
  batch->clear();
  spare_.push_back(std::move(batch));
}

void RecordReading::discard() {
  while (auto batch = take(true)) give_back(std::move(batch));
}

void RecordReading::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !given_.empty() || ended_; });
    if (ended_) return;
    auto batch = std::move(given_.front());
    given_.pop_front();
    lock.unlock();
    read(*batch);
    lock.lock();
    done_.push_back(std::move(batch));
    changed_.notify_all();
  }
}

// In blocks, which the decoder reads faster than records one by one.
void RecordReading::read(Batch& batch) {
  const size_t bytes = batch.values.size();
  batch.values.append(events::kRecordPaddingBytes, '\0');
  std::vector<Batch::Item>& items = batch.items;
  for (size_t i = 0; i < items.size();) {
    const size_t begin = items[i].value_at;
    size_t next = i + 1;
    while (next < items.size() && items[next].value_at - begin < kBlockBytes) ++next;
    const size_t end = next < items.size() ? items[next].value_at : bytes;
    engine_.expect(std::string_view(batch.values).substr(begin, end - begin));
    for (; i < next; ++i) read(items[i], batch);
  }
  engine_.expect({});
  for (; sensors_told_ < engine_.sensor_count(); ++sensors_told_)
    batch.sensors.emplace_back(engine_.sensor_name(static_cast<uint32_t>(sensors_told_)),
                               engine_.sensor_print_of(static_cast<uint32_t>(sensors_told_)));
  for (; event_types_told_ < engine_.event_type_count(); ++event_types_told_)
    batch.event_types.push_back(engine_.event_type_name(static_cast<uint16_t>(event_types_told_)));
}

void RecordReading::read(Batch::Item& item, Batch& batch) {
  const kafka::TopicPartition& name = *item.name;
  engine_.set_epoch(item.epoch);
  if (item.from->holds == Partition::Holds::kVerdicts) {
    item.result =
        engine_.read_verdict(batch.value(item), static_cast<uint64_t>(name.partition) << 48 |
                                                    static_cast<uint64_t>(item.offset));
    item.verdict_agency = engine_.verdict_agency();
  } else {
    RecordSource source;
    source.agency = std::string_view(name.topic).substr(kEventsPrefix.size());
    source.sensor = std::string_view(batch.sensor_names).substr(item.sensor_at, item.sensor_bytes);
    source.position = item.position;
    item.result = engine_.read(batch.value(item), source);
  }
  if (item.result == ReadResult::kRefused) {
    batch.refused.emplace_back(engine_.reason());
    return;
  }
  item.sensor = engine_.sensor_print();
  item.time_ns = engine_.time_ns();
  if (item.result != ReadResult::kFact) return;
  item.key = engine_.key();
  item.fact_bytes = static_cast<uint32_t>(engine_.fact().size());
  batch.facts.append(engine_.fact());
}

}  // namespace vong::correlator
