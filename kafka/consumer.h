// Reads records of committed transactions only. Offsets are never committed behind the caller's
// back: they go into the producer's transaction (Producer::send_offsets with positions() and
// group_metadata()), or through commit().
//
// The loop that reads, works and writes exactly once:
//
//   consumer.subscribe(topics); producer.init();
//   for (;;) {
//     consumer.poll_batch(max, timeout, records);          // rebalances happen inside, see
//     Listener if (!producer open transaction) producer.begin(); for each record: work,
//     producer.send(...); producer.send_offsets(consumer.positions(), consumer.group_metadata(),
//     t); producer.commit(t);                                  // kAbort: producer.abort(),
//     consumer.rewind_to_committed()
//   }                                                      // kRebuild, kFenced: new producer,
//   consumer.rewind_to_committed()
//
// One thread; the Listener is called on it, inside poll. Records keep the client's buffers alive:
// drop them before the consumer.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/client_config.h"
#include "kafka/error.h"
#include "kafka/types.h"

namespace vong::kafka {

// One record as it came. Owns librdkafka's message; the views live as long as the record.
class Record {
 public:
  Record(Record&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
  Record& operator=(Record&& other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~Record();

  [[nodiscard]] std::string_view topic() const;
  [[nodiscard]] int32_t partition() const;
  // True says so for sure and without looking at names; false may err.
  [[nodiscard]] bool is_of_same_partition(const Record& other) const;
  [[nodiscard]] int64_t offset() const;
  [[nodiscard]] Milliseconds timestamp() const;  // -1 when the record has none
  [[nodiscard]] std::string_view key() const;    // empty when the record has none
  [[nodiscard]] std::string_view value() const;
  // The last header of that name.
  [[nodiscard]] std::optional<std::string_view> header(const char* name) const;
  [[nodiscard]] std::vector<Header> headers() const;  // at most kMaxHeaders

  static constexpr std::size_t kMaxHeaders = 64;

 private:
  friend class Consumer;
  explicit Record(void* message) : message_(message) {}
  void* message_;
};

class Consumer {
 public:
  struct Options {
    ClientConfig client;
    std::string group;        // consumer group
    std::string instance_id;  // static membership: a restart within the session time moves no
                              // partition; empty: none
    bool from_beginning =
        true;  // where nothing is committed: from the first record, else only new ones
    // No: neither records nor committed() wait for the end of transactions under way. Only for who
    // has ended all that could concern it.
    bool committed_only = true;
    bool report_end = false;  // poll() tells when a partition's end is reached (reached_end)
    std::chrono::milliseconds session_timeout{45'000};
    std::chrono::milliseconds max_poll_interval{300'000};
    std::size_t queued_bytes_max = 32 << 20;  // prefetched, over all partitions
  };

  // Told on the consumer's thread, inside poll.
  class Listener {
   public:
    virtual ~Listener() = default;
    // Where reading starts: kNoOffset, as they come here, is what the group has committed, or where
    // Options::from_beginning says. Called before on_assigned.
    virtual void place(std::span<TopicOffset> partitions) { (void)partitions; }
    // Reading starts when this returns, and the running poll ends without waiting for records.
    // Restore what belongs to the partitions here, or behind that poll.
    virtual void on_assigned(std::span<const TopicPartition> partitions) = 0;
    // Somebody else may read them when this returns: commit (offsets in the transaction) or abort
    // before that. `lost`: they already belong to somebody else, a commit would be refused; abort.
    virtual void on_revoked(std::span<const TopicPartition> partitions, bool lost) = 0;
  };

  // `listener` may be null, else it has to outlive the consumer.
  [[nodiscard]] static KafkaResult<Consumer> open(const Options& options,
                                                  Listener* listener = nullptr);
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;
  ~Consumer();  // leaves the group

  // Names, or regular expressions that start with '^'. Takes part in the group's balance.
  [[nodiscard]] KafkaResult<> subscribe(std::span<const std::string> topics);
  // Reads just these, outside any balance. Offset kNoOffset: from the beginning.
  [[nodiscard]] KafkaResult<> assign(std::span<const TopicOffset> offsets);

  // The next record; none when there was none in time. Errors are of the connection (kRetry: go on
  // polling; kRefused).
  [[nodiscard]] KafkaResult<std::optional<Record>> poll(std::chrono::milliseconds timeout);
  // Appends up to `max` records to `out`; waits up to `timeout` for the first, then takes what is
  // there.
  [[nodiscard]] KafkaResult<> poll_batch(std::size_t max, std::chrono::milliseconds timeout,
                                         std::vector<Record>& out);
  // With report_end: true when every assigned partition has been read to its end since the last
  // record.
  [[nodiscard]] bool reached_end() const;
  // With report_end: the partitions that were read to their end, and had nothing new since. Valid
  // until the next call.
  [[nodiscard]] std::span<const TopicPartition> ended() const;

  [[nodiscard]] std::vector<TopicPartition> assignment() const;
  // The next offset of each assigned partition that has been polled from: what goes into
  // send_offsets.
  [[nodiscard]] std::vector<TopicOffset> positions() const;
  [[nodiscard]] GroupMetadata group_metadata() const;
  // What the group has committed; waits for transactions that are still being decided. Metadata
  // included.
  [[nodiscard]] KafkaResult<std::vector<TopicOffset>> committed(
      std::span<const TopicPartition> partitions, std::chrono::milliseconds timeout) const;
  // Without transactions: commits positions() and waits.
  [[nodiscard]] KafkaResult<> commit(std::chrono::milliseconds timeout);
  // Puts every assigned partition back to what is committed (or its beginning): after an aborted
  // transaction. Records polled before and not committed come again.
  [[nodiscard]] KafkaResult<> rewind_to_committed(std::chrono::milliseconds timeout);
  // All in one call: each call waits for fetches that are under way. Partitions that were put there
  // by Listener::place and not polled from since stay as they are.
  [[nodiscard]] KafkaResult<> seek(std::span<const TopicOffset> to,
                                   std::chrono::milliseconds timeout);
  struct Bounds {
    int64_t first = 0, end = 0;  // offsets of the first record, and after the last
  };
  // Of each, in the same order; asks the broker, once for all of them.
  [[nodiscard]] KafkaResult<std::vector<Bounds>> bounds(std::span<const TopicPartition> partitions,
                                                        std::chrono::milliseconds timeout) const;
  [[nodiscard]] KafkaResult<int32_t> partition_count(const std::string& topic,
                                                     std::chrono::milliseconds timeout) const;
  // How many records the assigned partitions hold that were not polled yet, as far as the client
  // knows without asking; markers of transactions count until the end was reached (report_end).
  [[nodiscard]] int64_t lag() const;

  // Leaves the group at once (on_revoked is called). Only the destructor may follow.
  void close();

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vong::kafka
