// The partitions of events, verdicts and sensors' status that this process reads when the work is
// divided: records in, facts into the blocks of those that need them. Keeps no state of groups.
// Records are looked at on a thread ahead of who calls (RecordReading); he is one thread.
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
#include "correlator/app/partitions.h"
#include "correlator/app/record_reading.h"
#include "correlator/app/rule_reload.h"
#include "correlator/app/watermark.h"
#include "kafka/consumer.h"

namespace vong::correlator {

class EventPartitions {
 public:
  EventPartitions(const Options& options, const enrich::Registry& registry,
                  const routing::Router& router, EngineCounters& totals, OnlineCounters& online,
                  BlockOutbox& blocks, Outbox& outbox);

  // Compiles rules for load().
  static void compile(RuleReload::Loaded& loaded, const Options& options);
  // Which records are facts from here on. Nothing may be ahead.
  void load(RuleReload::Loaded& loaded);
  // Knows the names in facts.
  [[nodiscard]] Engine& engine() { return *engine_; }

  void forget();
  void keep(const std::vector<kafka::TopicPartition>& assigned);
  [[nodiscard]] bool has(const kafka::TopicPartition& name) const {
    return partitions_.contains(name);
  }
  // Reads from `next` on; there are records up to `end`.
  void take_over(const kafka::TopicPartition& name, int64_t next, int64_t end);
  [[nodiscard]] int64_t next(const kafka::TopicPartition& name) const;
  void on_end_reached(const kafka::TopicPartition& name, int64_t wall_ns);

  // Records of any topics, which are emptied: those of partitions that are here and were not given
  // before go to the reading thread. Whether there was any.
  bool give(std::span<kafka::Record> records);
  [[nodiscard]] size_t ahead() const { return reading_.ahead(); }  // batches that are being read
  // What has been read, until no more than `ahead_max` batches are ahead. Whether there was any.
  bool take_read(size_t ahead_max, int64_t wall_ns);
  // How far each partition has come, where it is news, to everybody. Whether there was any.
  bool tell_marks(int64_t wall_ns);
  // Whether no sensor sends and nothing is left to read.
  [[nodiscard]] bool quiet(int64_t wall_ns);
  void add_offsets(std::vector<kafka::TopicOffset>& out) const;
  void show();

 private:
  struct Source : Partition {
    Source(std::string source_name, const Options& o)
        : name(std::move(source_name)), watermark(o.disorder.count(), o.idle.count()) {}
    std::string name;
    Watermark watermark;
    int64_t newest_ns = SourceMark::kNever;
    SourceMark told;
    bool spoken = false;
  };
  using Entry = std::pair<const kafka::TopicPartition, Source>;
  void adopt_names(RecordReading::Batch& batch);
  void take(RecordReading::Batch& batch, int64_t wall_ns);
  void take_fact(const Source& source, const RecordReading::Batch::Item& item,
                 std::string_view fact);
  void take_status(Entry& from, const kafka::Record& record);
  void discard();

  const Options& options_;
  const enrich::Registry& registry_;
  const routing::Router& router_;
  OnlineCounters& online_;
  BlockOutbox& blocks_;
  Outbox& outbox_;
  EngineCounters uncounted_;
  std::unique_ptr<Engine> engine_;
  std::map<kafka::TopicPartition, Source> partitions_;
  std::vector<uint32_t> needed_by_;
  RecordReading reading_;  // its thread looks at partitions_
};

}  // namespace vong::correlator
