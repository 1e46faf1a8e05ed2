// Topics. Blocking, any thread, a connection of its own for each call: for starts, demos and tests.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kafka/client_config.h"
#include "kafka/error.h"

namespace vong::kafka {

struct NewTopic {
  std::string name;
  int partitions = 1;
  int replication = 1;
  std::vector<std::pair<std::string, std::string>> settings;  // as {"cleanup.policy", "compact"}
};

// Makes the topics that are not there yet; those that are stay as they are. Returns when every
// broker that was asked knows them.
[[nodiscard]] KafkaResult<> create_topics(const ClientConfig& client,
                                          std::span<const NewTopic> topics,
                                          std::chrono::milliseconds timeout);
[[nodiscard]] KafkaResult<> delete_topics(const ClientConfig& client,
                                          std::span<const std::string> names,
                                          std::chrono::milliseconds timeout);
// The names of all topics, sorted.
[[nodiscard]] KafkaResult<std::vector<std::string>> list_topics(const ClientConfig& client,
                                                                std::chrono::milliseconds timeout);

}  // namespace vong::kafka
