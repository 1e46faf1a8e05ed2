// What the runs over a broker have in common.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "app_common/program.h"
#include "correlator/app/options.h"
#include "correlator/enrich/registry.h"
#include "kafka/error.h"
#include "kafka/producer.h"
#include "telemetry/registry.h"
#include "telemetry/server.h"

namespace vong::correlator {

// Topics and rights on the broker, when the configuration asks for them. Blocking: tries until the
// broker answers or a stop is asked for. False: it refuses.
[[nodiscard]] bool make_topics(const Options& options, const enrich::Registry& registry,
                               app::Signals& signals);

// Logs what went wrong. True: the broker refuses, so that trying again is of no use.
[[nodiscard]] bool is_refused(const kafka::KafkaError& error);

// The page at metrics.listen, when that is set. False: it cannot be opened, and the log says why.
[[nodiscard]] bool open_metrics_page(const Options& options, const telemetry::Registry& metrics,
                                     std::optional<telemetry::Server>& server);

// What a reload of the rules did.
void log_swap(const Engine::Swapped& swapped);

// A transaction of what `write` sends and of `offsets`: begun, written, and committed as soon as
// the broker says whether it is; when a stop is asked for, that is not waited for.
[[nodiscard]] kafka::KafkaResult<> transact(kafka::Producer& producer,
                                            std::span<const kafka::TopicOffset> offsets,
                                            const kafka::GroupMetadata& group,
                                            std::chrono::milliseconds patience,
                                            const app::Signals& signals,
                                            const std::function<kafka::KafkaResult<>()>& write);

// After a transaction that ended with `error`: aborts it, where that is the answer, and logs why.
// An error: the producer is of no use any more.
[[nodiscard]] kafka::KafkaResult<> undo(kafka::Producer& producer, const kafka::KafkaError& error,
                                        std::chrono::milliseconds patience);

// For intervals: never goes back, begins anywhere.
[[nodiscard]] inline int64_t wall_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

}  // namespace vong::correlator
