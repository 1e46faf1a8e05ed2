// What a consumer consists of. Only kafka/consumer*.cc may include this.
//
//   consumer.cc          connections, the group, records
//   consumer_offsets.cc  where reading stands, and where it is put
#pragma once

#include <algorithm>
#include <chrono>
#include <future>
#include <span>
#include <string_view>
#include <vector>

#include "kafka/consumer.h"
#include "kafka/internal.h"

namespace vong::kafka {

[[nodiscard]] inline int milliseconds(std::chrono::milliseconds d) {
  return static_cast<int>(std::clamp<int64_t>(d.count(), 0, 3'600'000));
}

// Where the caller stands in a partition: moved when a poll call ends, not when librdkafka hands a
// record over, so that a rebalance in the middle of a batch commits only what the caller has seen.
struct Position {
  TopicPartition partition;
  int64_t first;  // the first offset ever handed out since the assignment
  int64_t next;
};

struct Consumer::Impl {
  Options options;
  Listener* listener = nullptr;
  ConnectionWatch watch;
  std::vector<Position> positions;            // few; by search
  std::vector<TopicOffset> placed;            // by the listener, and not polled from since
  std::vector<TopicPartition> ended;          // with report_end: at their end after the last record
  std::vector<TopicPartition> revoked;        // since the running poll call began
  bool was_full = false;                      // the queue of fetched records, since the last nudge
  std::size_t mean_bytes = 0;                 // of a record
  std::vector<rd_kafka_message_t*> messages;  // of the running poll call
  bool closed = false;
  bool new_end = false;       // in `ended`, since a record was looked for in it
  ClientHandle client;        // its callbacks use what stands above
  QueueHandle queue;          // the client's, of all its partitions; goes before it
  std::future<void> nudging;  // ends before both

  static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t* list, void* opaque);
  void assigned(rd_kafka_topic_partition_list_t* list);
  void place(rd_kafka_topic_partition_list_t* list);
  void not_placed(std::string_view topic, int32_t partition) {
    std::erase_if(
        placed, [&](const TopicOffset& o) { return o.partition == partition && o.topic == topic; });
  }
  void gone(const rd_kafka_topic_partition_list_t* list);
  [[nodiscard]] KafkaResult<> take(rd_kafka_message_t* message, std::vector<Record>& out);
  void advance(std::span<const Record> records);
  void nudge(std::span<const Record> records);

  [[nodiscard]] PartitionsHandle assignment() const {
    rd_kafka_topic_partition_list_t* list = nullptr;
    rd_kafka_assignment(client.get(), &list);
    return PartitionsHandle(list != nullptr ? list : rd_kafka_topic_partition_list_new(0));
  }
  [[nodiscard]] KafkaResult<> answer(std::string_view what, rd_kafka_resp_err_t code) const {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return std::unexpected(to_error(what, code, watch));
  }
  [[nodiscard]] KafkaResult<> answer(std::string_view what, rd_kafka_error_t* raw) const {
    const ErrorHandle error(raw);
    if (!error) return {};
    return std::unexpected(to_error(what, error.get(), watch));
  }
  [[nodiscard]] KafkaResult<> seek(std::vector<TopicOffset> to,
                                   std::chrono::milliseconds timeout) const;
  [[nodiscard]] KafkaResult<> query(rd_kafka_topic_partition_list_t* list, int64_t what,
                                    std::chrono::milliseconds timeout) const;
};
}  // namespace vong::kafka
