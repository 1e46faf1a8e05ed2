// Where reading stands in each partition that is assigned: what is taken, what is committed, how
// far a replay has come, and to which epoch of the rules the next record belongs. Single thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "correlator/app/rules_in_force.h"
#include "kafka/consumer.h"

namespace vong::correlator {

struct Partition {
  enum class Holds : uint8_t { kEvents, kVerdicts, kStatus };
  uint32_t index = 0;
  Holds holds = Holds::kEvents;
  int64_t committed = 0;  // a replay ends before it
  int64_t given = 0;      // offset after the last record that is being read
  int64_t next = 0;       // offset after the last record taken: read and in the state
  bool reached = false;   // replay has come to `committed`, or to the end
  bool overshot = false;  // records behind it were read and dropped
  bool cut = false;       // its oldest records are not stored any more, and none was taken yet
  bool ended = false;     // everything that was there has been read, and this was noted
  // The epoch of the rules to which the next record belongs, and those that begin behind it.
  uint32_t epoch = 0;
  size_t epochs_begun = 0;
  RulesInForce::Starts epochs;

  [[nodiscard]] static Holds holds_of(const kafka::TopicPartition& name);
  void begin_epochs(RulesInForce::Starts starts);
  [[nodiscard]] uint32_t epoch_of(int64_t offset) {
    while (epochs_begun < epochs.size() && epochs[epochs_begun].first <= offset)
      epoch = epochs[epochs_begun++].second;
    return epoch;
  }
};

class Partitions {
 public:
  using Entry = std::pair<const kafka::TopicPartition, Partition>;

  // Those that the group has committed to, and no others. The event time up to which everything
  // was processed then (Watermark::kNever: nothing).
  [[nodiscard]] int64_t assign(std::span<const kafka::TopicOffset> committed);
  void forget();

  // The one that a record is of; null: none of ours. `same`: as that of the last call.
  [[nodiscard]] Entry* of(const kafka::Record& record, bool same);
  [[nodiscard]] Partition* find(const kafka::TopicPartition& name);
  [[nodiscard]] auto begin() { return partitions_.begin(); }
  [[nodiscard]] auto end() { return partitions_.end(); }
  [[nodiscard]] bool empty() const { return partitions_.empty(); }
  [[nodiscard]] size_t size() const { return partitions_.size(); }

  // All that was taken is what a replay has to come to.
  void commit_to_taken();
  // Whether a replay has come to where the last transaction ended, everywhere.
  [[nodiscard]] bool replayed() const;
  // Ends a replay: where reading has to go on that has gone too far.
  [[nodiscard]] std::vector<kafka::TopicOffset> end_replay();

  // What goes into a transaction. `released_ns`: everything up to this event time is processed.
  [[nodiscard]] std::vector<kafka::TopicOffset> offsets(int64_t released_ns) const;
  // Where the next epoch of the rules begins.
  [[nodiscard]] std::map<kafka::TopicPartition, int64_t> next_offsets(bool replaying) const;
  void begin_epochs(const RulesInForce& in_force);

 private:
  std::map<kafka::TopicPartition, Partition> partitions_;
  Entry* last_ = nullptr;  // of the record before
};

}  // namespace vong::correlator
