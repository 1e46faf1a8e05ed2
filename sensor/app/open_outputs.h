// Which outputs a run has, by command line and configuration.
#pragma once

#include <string>

#include "sensor/app/kafka_output.h"
#include "sensor/app/options.h"
#include "sensor/app/outputs.h"
#include "sensor/app/worker.h"

namespace vong::sensor {

// -l, else default-log-dir.
[[nodiscard]] std::string log_folder(const Options& options, const Plan& plan);

inline constexpr std::chrono::milliseconds kCloseTimeout{30'000};  // for the broker to take the rest

// FOLDER/<eve file> ("-": standard output), making the folder; and Kafka behind its spool, when brokers are configured. --each never
// sends to Kafka. The answer is the part for Kafka, which `output` owns; null without.
[[nodiscard]] Result<const KafkaOutput*> open_outputs(Output& output, const Plan& plan, const std::string& folder, bool with_kafka = true);

// Below `folder`, but for absolute names; "-" with everything on standard output.
[[nodiscard]] std::string output_path(const std::string& folder, const std::string& name);

}  // namespace vong::sensor
