// The metrics of vong-exporter: the table, and the cells tied to it.
#pragma once

#include <span>

#include "exporters/send/forwarder.h"
#include "exporters/spool/reader.h"
#include "telemetry/registry.h"

namespace vong::exporter {

[[nodiscard]] std::span<const telemetry::MetricInfo> metrics_table();

// The counters have to outlive the registry.
void add_metrics(telemetry::Registry& registry, const send::ForwarderCounters& forwarder,
                 const spool::ReaderCounters& reader);

}  // namespace vong::exporter
