// Topics and rights. Blocking, any thread, a connection of its own for each call: for starts, demos and tests.
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
// One right: what is not allowed is forbidden, where the broker has an authorizer.
struct Acl {
  enum class Resource : uint8_t { kTopic, kGroup, kTransactionalId };
  enum class Operation : uint8_t { kRead, kWrite, kDescribe };
  std::string principal;  // "User:g02"
  Resource resource = Resource::kTopic;
  std::string name;
  bool prefix = false;  // every name that begins so
  Operation operation = Operation::kRead;
  friend bool operator==(const Acl&, const Acl&) = default;
};
// Those that are there already stay. The rights hold a moment after this has returned. Rights of
// transactional ids are left out where the library does not know them (before 2.4): the broker's
// administrator gives them with Kafka's own tool.
[[nodiscard]] bool knows_transactional_id_rights();
[[nodiscard]] KafkaResult<> create_acls(const ClientConfig& client, std::span<const Acl> acls,
                                        std::chrono::milliseconds timeout);
[[nodiscard]] KafkaResult<> delete_topics(const ClientConfig& client,
                                          std::span<const std::string> names,
                                          std::chrono::milliseconds timeout);
// The names of all topics, sorted.
[[nodiscard]] KafkaResult<std::vector<std::string>> list_topics(const ClientConfig& client,
                                                                std::chrono::milliseconds timeout);

}  // namespace vong::kafka
