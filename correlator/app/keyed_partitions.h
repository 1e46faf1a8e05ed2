// The partitions of vong.facts that are this process's, beside Kafka: taking them over, correcting
// them, where reading stands in each. Single thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "correlator/app/keyed_partition.h"
#include "correlator/app/metrics.h"
#include "correlator/app/options.h"
#include "kafka/consumer.h"

namespace vong::correlator {

class KeyedPartitions {
 public:
  struct Sinks {
    std::function<void(const events::Incident&)> incident;
    std::function<void(uint32_t share, uint32_t epoch, const Raised&, const Engine&)> raised;
    coverage::Board::Sink coverage;
    std::function<void(uint32_t share, bool begins, std::string_view json)> rules;
  };
  using KeepOn = std::function<bool()>;

  KeyedPartitions(const Options& options, const enrich::Registry& registry,
                  const routing::Router& router, EngineCounters& totals, OnlineCounters& online,
                  Sinks sinks);

  // The rules outlive it, or the next call. What is here must have been forgotten before.
  void use(const sigma::RuleSet& rules, uint32_t shares);
  // The same while partitions are here, of those that have others: rules that stay keep their
  // state. May leave something to correct.
  Engine::Swapped swap(const sigma::RuleSet& rules);
  void forget() { partitions_.clear(); }
  void keep(const std::vector<kafka::TopicPartition>& assigned);
  [[nodiscard]] bool has(const kafka::TopicPartition& name) const {
    return partitions_.contains(name);
  }

  // `next`, `metadata`: what is committed of the partition. Its blocks are read at the next
  // rebuild(), under `rules`, which outlive the partition or the next swap().
  void take_over(const kafka::TopicPartition& name, int64_t next, const std::string& metadata,
                 const sigma::RuleSet& rules);
  [[nodiscard]] const sigma::RuleSet& rules() const { return *rules_; }
  // The state of the leader's partition; null: it is not here.
  [[nodiscard]] const KeyedPartition* leader() const;
  // Where the partition has to be read on.
  [[nodiscard]] int64_t next(const kafka::TopicPartition& name) const;
  // How far it has come, as it is committed with next().
  [[nodiscard]] std::string metadata(const kafka::TopicPartition& name) const;
  // Reads the blocks of those that were taken over. kRetry: call it again.
  [[nodiscard]] kafka::KafkaResult<> rebuild(const KeepOn& keep_on);

  // False: it is not for a partition here, or was taken before.
  bool take(const kafka::Record& record);
  [[nodiscard]] bool any_to_correct() const;
  // Corrects those: all their blocks again.
  [[nodiscard]] kafka::KafkaResult<> correct(const KeepOn& keep_on);
  void release();
  // Tells what waits where nobody sends. Whether that is so everywhere.
  bool settle();

  // News of marks since the last call: f(share, mark). Whether there was any.
  bool tell_marks(const std::function<void(uint32_t share, const SourceMark&)>& f);
  // What is committed with the next transaction.
  void add_offsets(std::vector<kafka::TopicOffset>& out) const;
  void show();

 private:
  struct Source {
    std::unique_ptr<KeyedPartition> state;
    int64_t next = 0;
    SourceMark told;
    bool spoken = false, settled = false, to_rebuild = false;
  };
  [[nodiscard]] kafka::KafkaResult<> replay(const std::vector<kafka::TopicOffset>& to,
                                            const KeepOn& keep_on);
  void refused(const kafka::Record& record) const;

  const Options& options_;
  const enrich::Registry& registry_;
  const routing::Router& router_;
  EngineCounters& totals_;
  OnlineCounters& online_;
  Sinks sinks_;
  const sigma::RuleSet* rules_ = nullptr;
  uint32_t shares_ = 0;
  std::map<kafka::TopicPartition, Source> partitions_;
};

}  // namespace vong::correlator
