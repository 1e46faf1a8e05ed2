// The partitions of events, verdicts and sensors' status that this process reads when the work is
// divided: records in, facts into the blocks of those that need them. Keeps no state of groups.
// Single thread.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "correlator/app/block_outbox.h"
#include "correlator/app/engine.h"
#include "correlator/app/metrics.h"
#include "correlator/app/options.h"
#include "correlator/app/outbox.h"
#include "correlator/app/watermark.h"
#include "kafka/consumer.h"

namespace vong::correlator {

class EventPartitions {
 public:
  EventPartitions(const Options& options, const enrich::Registry& registry,
                  const routing::Router& router, EngineCounters& totals, OnlineCounters& online,
                  BlockOutbox& blocks, Outbox& outbox);

  // Compiles the rules that decide which records are facts.
  void load(const sigma::RuleSet& rules);
  void load(std::unique_ptr<RuleProgram> program);
  [[nodiscard]] Engine& engine() { return *engine_; }

  void forget();
  void keep(const std::vector<kafka::TopicPartition>& assigned);
  [[nodiscard]] bool has(const kafka::TopicPartition& name) const {
    return partitions_.contains(name);
  }
  // Reads from `next` on; there are records up to `end`.
  void take_over(const kafka::TopicPartition& name, int64_t next, int64_t end);
  [[nodiscard]] int64_t next(const kafka::TopicPartition& name) const;
  void on_end_reached(const kafka::TopicPartition& name);

  // Records of any topics: those of partitions that are here and were not taken before. How many
  // that were.
  size_t take(std::span<const kafka::Record> records, int64_t wall_ns);
  // How far each partition has come, where it is news, to everybody. Whether there was any.
  bool tell_marks(int64_t wall_ns);
  // Whether no sensor sends and nothing is left to read.
  [[nodiscard]] bool quiet(int64_t wall_ns);
  void add_offsets(std::vector<kafka::TopicOffset>& out) const;
  void show();

 private:
  struct Partition {
    Partition(std::string source_name, const Options& o)
        : name(std::move(source_name)), watermark(o.disorder.count(), o.idle.count()) {}
    std::string name;
    Watermark watermark;
    int64_t next = 0;
    int64_t newest_ns = SourceMark::kNever;
    SourceMark told;
    bool spoken = false;
  };
  [[nodiscard]] Partition* partition_of(const kafka::Record& record);
  void take(const kafka::Record& record, std::string_view value, int64_t wall_ns);
  void take_status(Partition& p, const kafka::Record& record, std::string_view value);
  [[nodiscard]] ReadResult read(const kafka::Record& record, std::string_view value);

  const Options& options_;
  const enrich::Registry& registry_;
  const routing::Router& router_;
  EngineCounters& totals_;
  OnlineCounters& online_;
  BlockOutbox& blocks_;
  Outbox& outbox_;
  std::unique_ptr<Engine> engine_;
  std::map<kafka::TopicPartition, Partition> partitions_;
  std::pair<const kafka::TopicPartition, Partition>* last_ = nullptr;  // of the record before
  std::vector<uint32_t> needed_by_;
  std::string buffer_;
  size_t taken_ = 0;
};

}  // namespace vong::correlator
