// The state that lives from one rebuild to the next, and where reading stands in each partition.
#pragma once

#include <cstdint>

#include "correlator/app/engine.h"
#include "correlator/app/options.h"
#include "correlator/app/rules_in_force.h"
#include "correlator/app/watermark.h"
#include "correlator/ingest/limits.h"
#include "correlator/ingest/order.h"

namespace vong::correlator {

// What one rebuild of the state starts from: thrown away as a whole at the next.
struct Live {
  // `counters`: until somebody calls engine.count_into().
  Live(const Options& options, const enrich::Registry& registry, const routing::Router& router,
       const sigma::RuleSet& rules, EngineCounters& counters, Engine::IncidentSink sink)
      : engine(registry, router, options.engine, counters, std::move(sink)),
        reorder(ingest::kReorderBytesMax),
        sorter(ingest::kSortRunBytes),
        watermark(options.disorder.count(), options.idle.count()) {
    std::vector<rules::Diagnostic> reported_before;
    engine.load(rules, reported_before);
  }
  Engine engine;
  ingest::ReorderBuffer reorder;
  ingest::FactSorter sorter;  // of a replay
  Watermark watermark;
  int64_t released_ns = Watermark::kNever;
};

struct Partition {
  enum class Holds : uint8_t { kEvents, kVerdicts, kStatus };
  uint32_t index = 0;
  Holds holds = Holds::kEvents;
  int64_t committed = 0;
  int64_t next = 0;       // offset after the last record taken
  bool reached = false;   // replay has come to `committed`, or to the end
  bool overshot = false;  // records behind it were read and dropped
  // The epoch of the rules to which the next record belongs, and those that begin behind it.
  uint32_t epoch = 0;
  size_t epochs_begun = 0;
  RulesInForce::Starts epochs;
  void begin_epochs(RulesInForce::Starts starts) {
    epochs = std::move(starts);
    epoch = 0;
    epochs_begun = 0;
  }
  [[nodiscard]] uint32_t epoch_of(int64_t offset) {
    while (epochs_begun < epochs.size() && epochs[epochs_begun].first <= offset)
      epoch = epochs[epochs_begun++].second;
    return epoch;
  }
};

}  // namespace vong::correlator
