// The stats record, in the reference's shape, from the counters of all rooms.
#pragma once

#include "base/timestamp.h"
#include "sensor/app/worker.h"

namespace vong::sensor {

// Writes one record through the worker's emitter where the configuration has stats on.
void write_stats(Worker& worker, const Plan& plan, Timestamp now);

}  // namespace vong::sensor
