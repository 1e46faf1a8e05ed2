// What the runs over a broker have in common.
#pragma once

#include <chrono>
#include <optional>

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

// Tries until the broker says whether the transaction is committed, or a stop is asked for.
[[nodiscard]] kafka::KafkaResult<> commit_surely(kafka::Producer& producer,
                                                 std::chrono::milliseconds patience,
                                                 const app::Signals& signals);

}  // namespace vong::correlator
