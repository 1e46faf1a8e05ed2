#include "kafka/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "kafka/consumer_impl.h"
#include "kafka/internal.h"

namespace vong::kafka {
namespace {

constexpr std::size_t kBatchMax = 10'000;
// Before 2.2 a full queue of fetched records keeps librdkafka from fetching for up to a second,
// however soon it is emptied; later versions have a setting for it.
constexpr int kQueueBackoffVersion = 0x02020000;
// Not shorter than a broker may need: librdkafka takes a request that has run out of time for a
// broken connection.
constexpr auto kNudgePatience = std::chrono::seconds(5);

}  // namespace

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Consumer::Consumer(Consumer&&) noexcept = default;
Consumer& Consumer::operator=(Consumer&&) noexcept = default;

Consumer::~Consumer() {
  if (!impl_ || !impl_->client) return;
  impl_->listener = nullptr;  // it may be half destroyed; close() is the way to be told
  close();
}

void Consumer::Impl::place(rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicOffset> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& p = list->elems[i];
    offsets.push_back({p.topic, p.partition, kNoOffset, {}});
    not_placed(p.topic, p.partition);
  }
  listener->place(offsets);
  for (int i = 0; i < list->cnt; ++i) {
    TopicOffset& o = offsets[static_cast<std::size_t>(i)];
    if (o.offset == kNoOffset) continue;
    list->elems[i].offset = o.offset;
    placed.push_back(std::move(o));
  }
}

void Consumer::Impl::assigned(rd_kafka_topic_partition_list_t* list) {
  if (listener != nullptr) place(list);
  const std::vector<TopicPartition> partitions = to_partitions(list);
  std::erase_if(positions, [&](const Position& p) {
    return std::ranges::find(partitions, p.partition) != partitions.end();
  });
  if (listener != nullptr) listener->on_assigned(partitions);
}

void Consumer::Impl::gone(const rd_kafka_topic_partition_list_t* list) {
  const std::vector<TopicPartition> partitions = to_partitions(list);
  if (listener != nullptr)
    listener->on_revoked(partitions, rd_kafka_assignment_lost(client.get()) != 0);
  std::erase_if(positions, [&](const Position& p) {
    return std::ranges::find(partitions, p.partition) != partitions.end();
  });
  std::erase_if(ended, [&](const TopicPartition& p) {
    return std::ranges::find(partitions, p) != partitions.end();
  });
  for (const TopicPartition& p : partitions) not_placed(p.topic, p.partition);
  revoked.insert(revoked.end(), partitions.begin(), partitions.end());
}

void Consumer::Impl::on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                                  rd_kafka_topic_partition_list_t* list, void* opaque) {
  auto* impl = static_cast<Impl*>(static_cast<ConnectionWatch*>(opaque)->owner);
  const bool cooperative = std::string_view(rd_kafka_rebalance_protocol(client)) == "COOPERATIVE";
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    impl->assigned(list);
    if (cooperative)
      (void)impl->answer("assignment", rd_kafka_incremental_assign(client, list));
    else
      rd_kafka_assign(client, list);
  } else {
    if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) impl->gone(list);
    if (cooperative)
      (void)impl->answer("assignment", rd_kafka_incremental_unassign(client, list));
    else
      rd_kafka_assign(client, nullptr);
  }
  rd_kafka_yield(client);  // who polls is told at once
}

KafkaResult<Consumer> Consumer::open(const Options& options, Listener* listener) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->listener = listener;
  impl->watch.owner = impl.get();
  KafkaResult<ConfHandle> conf = make_conf(options.client, &impl->watch);
  if (!conf) return std::unexpected(conf.error());
  std::vector<std::pair<const char*, std::string>> properties = {
      {"group.id", options.group},
      {"isolation.level", options.committed_only ? "read_committed" : "read_uncommitted"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", options.from_beginning ? "earliest" : "latest"},
      {"enable.partition.eof", options.report_end ? "true" : "false"},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"session.timeout.ms", fmt::to_string(options.session_timeout.count())},
      {"max.poll.interval.ms",
       fmt::to_string(std::max(options.max_poll_interval, options.session_timeout).count())},
      {"queued.max.messages.kbytes",
       fmt::to_string(std::max<std::size_t>(1, options.queued_bytes_max / 1024))},
      {"allow.auto.create.topics", "false"},
      {"fetch.wait.max.ms", "100"},
      {"topic.metadata.refresh.interval.ms",
       "5000"},  // a topic of a new agency is found within seconds
  };
  if (rd_kafka_version() >= kQueueBackoffVersion)
    properties.emplace_back("fetch.queue.backoff.ms", "10");
  const auto prefer = [&](const char* name, const char* value) {
    if (std::ranges::none_of(options.client.tuning, [&](const auto& t) { return t.first == name; }))
      properties.emplace_back(name, value);
  };
  // Few partitions an answer and all of their batches that fit: what is cut off at the end of each
  // one's share is sent and read in vain. And not much at once, so that the next answer is on its
  // way while this one is worked on, and what was fetched of many partitions is of about the same
  // time. Not smaller than producers' batches, of which a broker adds the first partition's only to
  // an answer when they do not fit.
  prefer("max.partition.fetch.bytes", "1048576");
  prefer("fetch.max.bytes", "4194304");
  prefer("queued.min.messages", "1000000");  // the bytes above are the limit
  if (!options.instance_id.empty())
    properties.emplace_back("group.instance.id", options.instance_id);
  for (const auto& [name, value] : properties) {
    if (KafkaResult<> ok = put(conf->get(), name, value); !ok) return std::unexpected(ok.error());
  }
  rd_kafka_conf_set_rebalance_cb(conf->get(), Impl::on_rebalance);
  KafkaResult<ClientHandle> client = make_client(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!client) return std::unexpected(client.error());
  rd_kafka_poll_set_consumer(client->get());
  impl->client = std::move(*client);
  impl->queue.reset(rd_kafka_queue_get_consumer(impl->client.get()));
  return Consumer(std::move(impl));
}

KafkaResult<> Consumer::subscribe(std::span<const std::string> topics) {
  const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  return impl_->answer("subscription", rd_kafka_subscribe(impl_->client.get(), list.get()));
}

KafkaResult<> Consumer::assign(std::span<const TopicOffset> offsets) {
  const PartitionsHandle list = to_list(offsets);
  for (int i = 0; i < list->cnt; ++i) {
    if (list->elems[i].offset == kNoOffset) list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  impl_->positions.clear();
  impl_->ended.clear();
  return impl_->answer("assignment", rd_kafka_assign(impl_->client.get(), list.get()));
}

// One message of the client: a record, the end of a partition, or an error.
KafkaResult<> Consumer::Impl::take(rd_kafka_message_t* message, std::vector<Record>& out) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Here and not when the call ends: the partition's end may come behind its last record in the
    // same batch.
    const Record& record = out.emplace_back(Record(message));
    if (ended.empty()) return {};
    if (!new_end && out.size() > 1 && record.is_of_same_partition(out[out.size() - 2])) return {};
    new_end = false;
    std::erase_if(ended, [&](const TopicPartition& p) {
      return p.partition == record.partition() && p.topic == record.topic();
    });
    return {};
  }
  const std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>> owner(message);
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    const TopicPartition partition{rd_kafka_topic_name(message->rkt), message->partition};
    if (std::ranges::find(ended, partition) == ended.end()) ended.push_back(partition);
    new_end = true;
    return {};
  }
  const std::string topic = message->rkt != nullptr ? rd_kafka_topic_name(message->rkt) : "";
  return std::unexpected(to_error(topic.empty() ? "reading" : fmt::format("reading {}", topic),
                                  message->err, watch, rd_kafka_message_errstr(message)));
}

// Records of one partition come many at a time: it is looked for once for all of them.
void Consumer::Impl::advance(std::span<const Record> records) {
  if (!records.empty()) watch.clear();
  for (std::size_t i = 0; i < records.size();) {
    const Record& first = records[i];
    std::size_t end = i + 1;
    while (end < records.size() && records[end].is_of_same_partition(first)) ++end;
    const auto at = std::ranges::find_if(positions, [&](const Position& p) {
      return p.partition.partition == first.partition() && p.partition.topic == first.topic();
    });
    const int64_t next = records[end - 1].offset() + 1;
    if (at != positions.end())
      at->next = next;
    else
      positions.push_back({{std::string(first.topic()), first.partition()}, first.offset(), next});
    if (!placed.empty()) not_placed(first.topic(), first.partition());
    i = end;
  }
}

// Makes librdkafka look again whether it may fetch, when a queue that was full is getting empty:
// any request to the broker does, and this one changes nothing. Beside what goes on: the answer
// comes when the client is through with what it has fetched.
void Consumer::Impl::nudge(std::span<const Record> records) {
  if (records.empty() || rd_kafka_version() >= kQueueBackoffVersion) return;
  std::size_t bytes = 0;
  for (const Record& r : records) bytes += r.value().size();
  mean_bytes = bytes / records.size();
  const std::size_t queued = rd_kafka_queue_length(queue.get()) * mean_bytes;
  was_full |= queued >= options.queued_bytes_max / 4 * 3;
  if (!was_full || queued >= options.queued_bytes_max / 2) return;
  if (nudging.valid() && nudging.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    return;  // the next call asks again
  was_full = false;
  const Record& last = records.back();
  nudging = std::async(
      std::launch::async,
      [client = client.get(), topic = std::string(last.topic()), partition = last.partition()] {
        int64_t low = 0, high = 0;
        (void)rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &low, &high,
                                               milliseconds(kNudgePatience));
      });
}

KafkaResult<> Consumer::poll_batch(std::size_t max, std::chrono::milliseconds timeout,
                                   std::vector<Record>& out) {
  Impl& impl = *impl_;
  const std::size_t before = out.size();
  impl.revoked.clear();
  KafkaResult<> result;
  max = std::min(max, kBatchMax);
  impl.messages.resize(max);
  // One is waited for; what is there behind it is taken at one go.
  rd_kafka_message_t* first_message =
      rd_kafka_consumer_poll(impl.client.get(), milliseconds(timeout));
  if (first_message != nullptr) result = impl.take(first_message, out);
  while (first_message != nullptr && result && out.size() - before < max) {
    const std::size_t wanted = max - (out.size() - before);
    const ssize_t n =
        rd_kafka_consume_batch_queue(impl.queue.get(), 0, impl.messages.data(), wanted);
    for (ssize_t i = 0; i < n; ++i) {
      auto taken = impl.take(impl.messages[static_cast<std::size_t>(i)], out);
      if (result) result = std::move(taken);
    }
    if (n < static_cast<ssize_t>(wanted)) break;
  }
  // Somebody else reads what was revoked in this call: he gets these records too.
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(before);
  if (!impl.revoked.empty()) {
    out.erase(std::remove_if(first, out.end(),
                             [&](const Record& r) {
                               return std::ranges::any_of(
                                   impl.revoked, [&](const TopicPartition& p) {
                                     return p.partition == r.partition() && p.topic == r.topic();
                                   });
                             }),
              out.end());
  }
  impl.advance(std::span(out).subspan(before));
  impl.nudge(std::span(out).subspan(before));
  if (out.size() > before) return {};  // an error that matters comes again
  if (result && is_refusal(impl.watch.code())) {
    KafkaError error{Answer::kRefused, impl.watch.code(), impl.watch.text()};
    impl.watch.clear();
    return std::unexpected(std::move(error));
  }
  return result;
}

KafkaResult<std::optional<Record>> Consumer::poll(std::chrono::milliseconds timeout) {
  std::vector<Record> records;
  if (KafkaResult<> ok = poll_batch(1, timeout, records); !ok) return std::unexpected(ok.error());
  if (records.empty()) return std::nullopt;
  return std::move(records.front());
}

GroupMetadata Consumer::group_metadata() const {
  return GroupMetadata(std::make_shared<GroupMetadata::Impl>(
      GroupMetadataHandle(rd_kafka_consumer_group_metadata(impl_->client.get()))));
}

GroupMetadata::GroupMetadata(const std::string& group_id)
    : impl_(std::make_shared<Impl>(
          GroupMetadataHandle(rd_kafka_consumer_group_metadata_new(group_id.c_str())))) {}
void Consumer::close() {
  if (std::exchange(impl_->closed, true)) return;
  rd_kafka_consumer_close(impl_->client.get());
}

}  // namespace vong::kafka
