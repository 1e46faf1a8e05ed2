// Which rules are in force, and since which point of the log: what makes a replay give what was
// said while the rules were changed. It stands in the log itself (single process: the topic
// vong.state.<group>; divided work: the blocks of each partition of facts, the leader's in that topic
// too), in the transaction from which it holds.
//
// Each change of the rules begins an epoch. A record belongs to the epoch in which it was read; a
// rule sees the records from the epoch on in which it came into force, on the first run and in
// every replay. Rules are known by their prints (CompiledRules::prints), so one that was changed is
// another rule. Values, no behaviour beyond that.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/types.h"

namespace vong::correlator {

struct RulesInForce {
  static constexpr size_t kEpochsMax = 256;  // beyond, the oldest count as the beginning

  struct Epoch {
    uint32_t number = 0;      // grows; 0 is the beginning and has no entry
    int64_t released_ns = 0;  // event time up to which everything was processed before
    std::map<kafka::TopicPartition, int64_t> offsets;  // its first record; other partitions: 0
  };
  std::vector<Epoch> epochs;           // in order
  std::map<uint64_t, uint32_t> since;  // print -> number of the epoch
  int64_t campaigns_since_ns = INT64_MIN;
  // The rules themselves, as text beside this record: its print and in how many pieces; 0: not kept.
  uint64_t text_print = 0;
  uint32_t text_pieces = 0;

  [[nodiscard]] uint32_t last() const { return epochs.empty() ? 0 : epochs.back().number; }
  // Whether exactly these are in force.
  [[nodiscard]] bool is(std::span<const uint64_t> prints) const;
  // These are, from now on: the others are forgotten. A new epoch, unless there was nothing before.
  void change(std::span<const uint64_t> prints, int64_t released_ns,
              std::map<kafka::TopicPartition, int64_t> offsets = {});
  // The epochs up to this one count as the beginning: nobody knows where they began.
  void merge_until(uint32_t epoch);
  // The epochs of the partition's records, in order: from which offset on which. 0 before the
  // first.
  using Starts = std::vector<std::pair<int64_t, uint32_t>>;
  [[nodiscard]] Starts starts_in(const kafka::TopicPartition& partition) const;

  [[nodiscard]] std::string json() const;
  // Nothing when it is not such a record.
  [[nodiscard]] static std::optional<RulesInForce> parse(std::string_view json);
};

}  // namespace vong::correlator
