#include "correlator/app/reading.h"

#include <algorithm>
#include <utility>

namespace vong::correlator {

Result<> Reading::run(const Files& files) {
  for (const std::string& file : files.events) {
    if (auto ok = read(file, false); !ok || stopped_ || unwanted_) return ok;
  }
  for (const std::string& file : files.verdicts) {
    if (auto ok = read(file, true); !ok || stopped_ || unwanted_) return ok;
  }
  return {};
}

Result<> Reading::read(const std::string& file, bool verdicts) {
  const auto on_line = [&](const ingest::Line& l) { return line(l, file, verdicts); };
  const auto on_block = [this](std::string_view block) { engine_.expect(block); };
  if (file != "-") return ingest::read_lines(file, on_line, on_block);
  return ingest::read_lines_fd(
      0, "standard input", on_line, [this] { return !stop_(); }, on_block);
}

bool Reading::line(const ingest::Line& l, const std::string& file, bool verdicts) {
  ++position_;
  if (l.too_long) {
    ++too_long_;
    sink_.refused("record too long", file, l.number, l.text);
    return true;
  }
  const ReadResult result = verdicts ? engine_.read_verdict(l.text, position_)
                                     : engine_.read(l.text, {{}, {}, position_});
  if (result == ReadResult::kRefused)
    sink_.refused(engine_.reason(), file, l.number, l.text);
  else
    newest_ns_ = std::max(newest_ns_, engine_.time_ns());
  if (result == ReadResult::kFact) {
    if (verdicts) sink_.verdict(engine_.verdict_agency(), engine_.time_ns());
    unwanted_ = !sink_.fact(engine_.key(), engine_.fact(), engine_);
  }
  if ((position_ & 0xfff) == 0 && stop_()) stopped_ = true;
  return !stopped_ && !unwanted_;
}

bool FactQueue::fact(const ingest::OrderKey& key, std::string_view fact, const Engine& from) {
  for (; sensors_ < from.sensor_count(); ++sensors_)
    batch_.sensors.emplace_back(from.sensor_name(static_cast<uint32_t>(sensors_)),
                                from.sensor_print_of(static_cast<uint32_t>(sensors_)));
  for (; event_types_ < from.event_type_count(); ++event_types_)
    batch_.event_types.push_back(from.event_type_name(static_cast<uint16_t>(event_types_)));
  batch_.items.push_back({key, static_cast<uint32_t>(fact.size())});
  batch_.bytes.append(fact);
  return !full() || hand_over();
}

void FactQueue::verdict(enrich::AgencyIndex agency, int64_t time_ns) {
  batch_.verdicts.emplace_back(agency, time_ns);
}

void FactQueue::refused(std::string_view reason, std::string_view file, uint64_t line,
                        std::string_view record) {
  batch_.refused.push_back({std::string(reason), std::string(file), std::string(record), line});
  if (full()) (void)hand_over();
}

bool FactQueue::hand_over() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return batches_.size() < kBatchesMax || unwanted_; });
  if (!unwanted_) batches_.push_back(std::exchange(batch_, {}));
  changed_.notify_all();
  return !unwanted_;
}

void FactQueue::end() {
  (void)hand_over();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::optional<FactQueue::Batch> FactQueue::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !batches_.empty() || ended_; });
  if (batches_.empty()) return std::nullopt;
  Batch batch = std::move(batches_.front());
  batches_.pop_front();
  changed_.notify_all();
  return batch;
}

void FactQueue::take_all(Engine& into, FactSink& sink) {
  while (auto batch = next()) {
    for (auto& [name, print] : batch->sensors) into.adopt_sensor(std::move(name), print);
    for (std::string& name : batch->event_types) into.adopt_event_type(std::move(name));
    for (const Refused& r : batch->refused) sink.refused(r.reason, r.file, r.line, r.record);
    for (const auto& [agency, time_ns] : batch->verdicts) sink.verdict(agency, time_ns);
    size_t at = 0;
    for (const Batch::Item& i : batch->items) {
      if (!sink.fact(i.key, std::string_view(batch->bytes).substr(at, i.size), into)) {
        const std::lock_guard lock(mutex_);
        unwanted_ = true;
        changed_.notify_all();
        return;
      }
      at += i.size;
    }
  }
}

}  // namespace vong::correlator
