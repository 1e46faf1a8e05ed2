// The metrics of vong-sensor: the one table, the cells that workers publish into, and both tied
// together.
//
// Rooms count in plain numbers of their worker's thread. The worker copies them into cells of its
// own a few times a second (publish), and /metrics adds the cells of all workers up: nothing on the
// packet path, and no thread reads another's counters.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "base/counter.h"
#include "sensor/app/worker.h"
#include "sensor/capture/packet_source.h"
#include "telemetry/registry.h"
#include "telemetry/server.h"

namespace vong::sensor {

class KafkaOutput;

[[nodiscard]] std::span<const telemetry::MetricInfo> metrics_table();

inline constexpr std::size_t kWorkerCells =
    48;  // as many as metrics.cc has rows for workers, or more

// One worker's, on cache lines of their own.
struct alignas(kCacheLine) WorkerCells {
  std::array<Gauge, kWorkerCells> cells;
};

// Called on the worker's thread.
void publish(const Worker& worker, const capture::CaptureStats& capture, WorkerCells& cells);

// The cells have to outlive the registry.
void add_worker_metrics(telemetry::Registry& registry, const WorkerCells& cells);
void add_rule_metrics(telemetry::Registry& registry, const detect::RuleCounts& rules);
void add_kafka_metrics(telemetry::Registry& registry, const KafkaOutput& output);

// The page at `metrics.listen`; none when that is not set.
[[nodiscard]] Result<std::optional<telemetry::Server>> open_metrics_page(
    const Settings& settings, const telemetry::Registry& registry);

}  // namespace vong::sensor
