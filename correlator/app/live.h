// The state that lives from one rebuild to the next.
#pragma once

#include "correlator/app/engine.h"
#include "correlator/app/options.h"
#include "correlator/app/watermark.h"
#include "correlator/ingest/limits.h"
#include "correlator/ingest/order.h"

namespace vong::correlator {

// What one rebuild of the state starts from: thrown away as a whole at the next.
struct Live {
  // `counters`: until somebody calls engine.count_into().
  Live(const Options& options, const enrich::Registry& registry, const routing::Router& router,
       const sigma::RuleSet& rules, EngineCounters& counters, Engine::IncidentSink sink)
      : engine(registry, router, settings(options), counters, std::move(sink)),
        reorder(ingest::kReorderBytesMax),
        sorter(ingest::kSortRunBytes),
        watermark(options.disorder.count(), options.idle.count()) {
    engine.load(Engine::compile(rules, settings(options)));
  }
  // Records are read elsewhere (RecordReading).
  [[nodiscard]] static EngineSettings settings(const Options& options) {
    EngineSettings s = options.engine;
    s.reads = false;
    return s;
  }
  Engine engine;
  ingest::ReorderBuffer reorder;
  ingest::FactSorter sorter;  // of a replay
  Watermark watermark;
  int64_t released_ns = Watermark::kNever;
};

}  // namespace vong::correlator
