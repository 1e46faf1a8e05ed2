// The metrics of vong-correlator: the one table, and the cells tied to it.
#pragma once

#include "correlator/app/engine.h"
#include "telemetry/registry.h"

namespace vong::correlator {

struct OnlineCounters {
  Counter dead_letters, transactions, transactions_aborted, restores, corrections, late_facts, reloads,
      reloads_refused, reload_dropped_keys, reload_dropped_incidents;
  Gauge sensors_registered, sensors_alive, agencies_complete, national_percent;
  Gauge watermark_seconds, lag_records, sensors_active, open_incidents, keys, settled;
};

[[nodiscard]] std::span<const telemetry::MetricInfo> metrics_table();
// The cells must outlive the registry.
void add_metrics(telemetry::Registry& registry, const EngineCounters& engine,
                 const OnlineCounters& online);

}  // namespace vong::correlator
