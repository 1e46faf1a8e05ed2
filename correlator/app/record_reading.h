// The half of the work that looks at records of the broker: records in, facts out, on a thread of
// its own ahead of who works with the facts. Batches come back in the order they were given.
//
// One thread calls; what says "idle" is for when nothing is ahead.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "correlator/app/engine.h"
#include "correlator/app/partitions.h"
#include "kafka/consumer.h"

namespace vong::correlator {

class RecordReading {
 public:
  struct Batch {
    struct Item {
      const kafka::TopicPartition* name = nullptr;  // these are given
      Partition* from = nullptr;
      int64_t offset = 0;
      uint64_t position = 0;  // in the sensor's stream
      uint32_t epoch = 0;
      uint32_t value_at = 0, value_bytes = 0;    // of `values`
      uint32_t sensor_at = 0, sensor_bytes = 0;  // of `sensor_names`: as its header says

      ReadResult result = ReadResult::kNoMatch;  // these come back
      enrich::AgencyIndex verdict_agency = enrich::kNoAgency;
      uint32_t fact_bytes = 0;  // of `facts`, behind those of the items before
      uint64_t sensor = 0;      // a fingerprint
      int64_t time_ns = 0;
      ingest::OrderKey key;
    };
    std::vector<Item> items;
    std::string values;  // one after the other: lines, as the decoder likes them
    std::string sensor_names;
    std::string facts;
    std::vector<std::string> refused;  // why, in order of their items
    // What the numbers in facts mean, where it was not said before, in order of the numbers.
    std::vector<std::pair<std::string, uint64_t>> sensors;
    std::vector<std::string> event_types;

    // `name` and `from` outlive the batch.
    void add(const kafka::Record& record, const kafka::TopicPartition& name, Partition& from,
             uint32_t epoch);
    void add(std::string_view value, std::string_view sensor_name, Item item);
    [[nodiscard]] std::string_view value(const Item& i) const {
      return std::string_view(values).substr(i.value_at, i.value_bytes);
    }
    void clear();
  };

  // All outlive it.
  RecordReading(const enrich::Registry& registry, const routing::Router& router,
                const EngineSettings& settings);
  ~RecordReading();

  // --- idle ---
  void load(std::unique_ptr<RuleProgram> program);  // again: in the place of those before
  void begin_names() { sensors_told_ = event_types_told_ = 0; }  // for an engine that knows none
  void count_into(EngineCounters& counters) { engine_.count_into(counters); }

  // --- any time ---
  [[nodiscard]] std::unique_ptr<Batch> empty();  // to be filled
  void give(std::unique_ptr<Batch> batch);
  [[nodiscard]] size_t ahead() const { return ahead_; }  // batches that were not taken yet
  // The next one that is read; null when there is none, or, with `wait` false, none yet.
  [[nodiscard]] std::unique_ptr<Batch> take(bool wait);
  void give_back(std::unique_ptr<Batch> batch);  // its memory is used again
  void discard();                                // all that is ahead; then idle

 private:
  void work();
  void read(Batch& batch);
  void read(Batch::Item& item, Batch& batch);

  EngineCounters uncounted_;
  Engine engine_;
  bool loaded_ = false;
  size_t sensors_told_ = 0, event_types_told_ = 0;
  size_t ahead_ = 0;  // of who calls
  std::vector<std::unique_ptr<Batch>> spare_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Batch>> given_, done_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace vong::correlator
