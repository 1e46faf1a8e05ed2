// Up to which event time everything has come. Pure: the wall clock comes in as an argument, only to
// tell which sensors are idle. Single thread.
//
//   - a sensor that sends holds the watermark at its newest event, less the allowed disorder;
//   - a sensor that has been quiet for `idle` does not hold others back;
//   - while old records of a partition are still being read, that partition holds the watermark at
//   what was read of it, so
//     a backlog of many partitions, read at different speeds, is put in order as if it had come
//     live;
//   - when nobody sends, the watermark goes to the newest event of all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace vong::correlator {

class Watermark {
 public:
  Watermark(int64_t disorder_ns, int64_t idle_ns) : disorder_ns_(disorder_ns), idle_ns_(idle_ns) {}

  // A partition with records up to `end_offset` that are there already; 0: none.
  void add_partition(uint32_t partition, int64_t begin_offset, int64_t end_offset) {
    if (partitions_.size() <= partition) partitions_.resize(partition + 1);
    partitions_[partition] = {end_offset, begin_offset, kNever};
  }
  // A record was read.
  void on_record(uint32_t partition, int64_t offset, uint64_t sensor, int64_t time_ns,
                 int64_t wall_ns) {
    newest_ns_ = std::max(newest_ns_, time_ns);
    Sensor& s = sensors_[sensor];
    s.newest_ns = std::max(s.newest_ns, time_ns);
    s.heard_ns = wall_ns;
    if (partition < partitions_.size()) {
      partitions_[partition].next_offset = std::max(partitions_[partition].next_offset, offset + 1);
      partitions_[partition].newest_ns = std::max(partitions_[partition].newest_ns, time_ns);
    }
  }
  // Everything that is there of this partition has been read. Its last offset cannot tell: what
  // stands at a partition's end may be a transaction's marker, which no reader is given.
  void on_end_reached(uint32_t partition) {
    if (partition >= partitions_.size()) return;
    Partition& p = partitions_[partition];
    p.next_offset = std::max(p.next_offset, p.end_offset);
  }

  [[nodiscard]] int64_t value(int64_t wall_ns) {
    int64_t low = std::numeric_limits<int64_t>::max();
    for (const Partition& p : partitions_) {
      if (p.next_offset < p.end_offset) low = std::min(low, p.newest_ns);
    }
    behind_ = low != std::numeric_limits<int64_t>::max();
    active_ = 0;
    for (const auto& [id, s] : sensors_) {
      if (wall_ns - s.heard_ns >= idle_ns_) continue;
      ++active_;
      if (!behind_) low = std::min(low, s.newest_ns);
    }
    if (low == kNever || newest_ns_ == kNever) return kNever;
    if (low == std::numeric_limits<int64_t>::max()) return newest_ns_;
    return low - disorder_ns_;
  }
  // As of the last value():
  [[nodiscard]] size_t active() const { return active_; }  // sensors that hold the watermark
  // Nobody sends, and nothing that was there already is left to read.
  [[nodiscard]] bool idle() const { return active_ == 0 && !behind_; }

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

 private:
  struct Partition {
    int64_t end_offset = 0, next_offset = 0;
    int64_t newest_ns = kNever;
  };
  struct Sensor {
    int64_t newest_ns = kNever, heard_ns = 0;
  };
  int64_t disorder_ns_, idle_ns_;
  std::vector<Partition> partitions_;
  absl::flat_hash_map<uint64_t, Sensor>
      sensors_;  // by fingerprint; only minima are taken, so its order does not matter
  int64_t newest_ns_ = kNever;
  size_t active_ = 0;
  bool behind_ = false;
};

}  // namespace vong::correlator
