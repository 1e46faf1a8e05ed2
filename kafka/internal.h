// librdkafka behind RAII handles. Only kafka/*.cc may include this.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kafka/client_config.h"
#include "kafka/error.h"
#include "kafka/types.h"

namespace vong::kafka {

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* p) const {
    destroy(p);
  }
};

using ConfHandle = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using ClientHandle = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_destroy>>;
using ErrorHandle = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using PartitionsHandle = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                         Destroy<rd_kafka_topic_partition_list_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using GroupMetadataHandle = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                            Destroy<rd_kafka_consumer_group_metadata_destroy>>;

struct GroupMetadata::Impl {
  explicit Impl(GroupMetadataHandle h) : handle(std::move(h)) {}
  GroupMetadataHandle handle;
};

// The newest error of a client's connections. librdkafka reports it on its own or the polling
// thread; a refusal stays until clear(), so that the time-outs and lost connections that follow it
// do not hide the reason.
class ConnectionWatch {
 public:
  void on_error(int code, std::string text);
  void clear();
  [[nodiscard]] int code() const;
  [[nodiscard]] std::string text() const;

  // The watch is what librdkafka hands to every callback of a client; here the callbacks find the
  // object around it.
  void* owner = nullptr;

 private:
  mutable std::mutex mutex_;
  int code_ = code::kNone;
  std::string text_;
};

// What every client of ours starts from: address, security, tuning; errors to `watch` (which has to
// outlive the client).
[[nodiscard]] KafkaResult<ConfHandle> make_conf(const ClientConfig& config, ConnectionWatch* watch);
[[nodiscard]] KafkaResult<> put(rd_kafka_conf_t* conf, const char* name, const std::string& value);
[[nodiscard]] KafkaResult<ClientHandle> make_client(rd_kafka_type_t type, ConfHandle conf);

// `what` names the attempt: "commit", "init of transactions as x".
[[nodiscard]] KafkaError to_error(std::string_view what, const rd_kafka_error_t* error,
                                  const ConnectionWatch& watch);
[[nodiscard]] KafkaError to_error(std::string_view what, rd_kafka_resp_err_t code,
                                  const ConnectionWatch& watch, const char* text = nullptr);

[[nodiscard]] PartitionsHandle to_list(std::span<const TopicOffset> offsets);
[[nodiscard]] PartitionsHandle to_list(std::span<const TopicPartition> partitions);
[[nodiscard]] std::vector<TopicPartition> to_partitions(
    const rd_kafka_topic_partition_list_t* list);

}  // namespace vong::kafka
