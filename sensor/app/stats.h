// What a worker has counted, under the names of the reference's stats record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/app/worker.h"

namespace vong::sensor {

// Parts the objects in a counter's name, where the record nests them ("decoder", "pkts"): no name has it.
inline constexpr char kStatsDot = '\x1f';

struct StatsCounter {
  std::string name;
  uint64_t value;
};
using StatsCounters = std::vector<StatsCounter>;   // those of one object stand together

// On the worker's thread, between two packets.
[[nodiscard]] StatsCounters collect_stats(const Worker& worker, const Plan& plan);

}  // namespace vong::sensor
