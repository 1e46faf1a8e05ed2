// Writes records, idempotently, and in transactions when it has a transactional id.
//
//   Producer::open(options)       no network yet
//   init(timeout)                 fences every older producer of that id and ends its open
//   transaction begin(); send()...; send_offsets(); commit()        or abort()
//
// One thread at a time; librdkafka has threads of its own. Every call answers with
// KafkaError::answer. After kRebuild or kFenced only the destructor may be called: open a new
// producer and go on from what is committed. The queue in memory is small on purpose: what is to
// survive stands in a spool or in the topic that was read, not here.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kafka/client_config.h"
#include "kafka/error.h"
#include "kafka/types.h"

namespace vong::kafka {

struct ProducerRecord {
  std::string_view topic;
  std::string_view key;  // empty: no key
  std::string_view value;
  std::span<const Header> headers;
  int32_t partition = kAnyPartition;
  Milliseconds timestamp = 0;  // 0: now
};

class Producer {
 public:
  struct Options {
    ClientConfig client;
    std::string transactional_id;  // empty: no transactions
    std::chrono::milliseconds transaction_timeout{
        60'000};  // the broker aborts an open transaction after this
    std::chrono::milliseconds linger{5};
    std::string compression = "lz4";  // none, gzip, snappy, lz4, zstd
    std::size_t queue_records_max = 50'000;
    std::size_t queue_bytes_max = 32 << 20;
    std::size_t record_bytes_max = 1'000'000;  // larger ones are rejected (answer kReject)
  };

  // Checks the configuration and makes the client. An error here is one of configuration
  // (kRefused).
  [[nodiscard]] static KafkaResult<Producer> open(const Options& options);
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;
  ~Producer();  // drops what is queued; an open transaction is aborted by the broker or by the next
                // init()

  [[nodiscard]] KafkaResult<> init(std::chrono::milliseconds timeout);
  [[nodiscard]] KafkaResult<> begin();
  // Copies the record into the queue. Waits up to `timeout` for room; kRetry when there is none.
  [[nodiscard]] KafkaResult<> send(const ProducerRecord& record,
                                   std::chrono::milliseconds timeout = std::chrono::seconds(1));
  // Makes the offsets part of the transaction: readers of the group go on from there if and only if
  // it commits.
  [[nodiscard]] KafkaResult<> send_offsets(std::span<const TopicOffset> offsets,
                                           const GroupMetadata& group,
                                           std::chrono::milliseconds timeout);
  // Waits for every delivery, then commits. kRetry: call it again, the outcome is open.
  [[nodiscard]] KafkaResult<> commit(std::chrono::milliseconds timeout);
  [[nodiscard]] KafkaResult<> abort(std::chrono::milliseconds timeout);
  // Without transactions: waits until everything sent is delivered; the first failed delivery since
  // the last flush is the error.
  [[nodiscard]] KafkaResult<> flush(std::chrono::milliseconds timeout);

  // The newest connection error since a call last succeeded, for a person: empty when all is well.
  [[nodiscard]] std::string last_connection_error() const;
  [[nodiscard]] std::size_t queued() const;  // records not yet delivered

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vong::kafka
