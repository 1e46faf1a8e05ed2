#include "kafka/producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "kafka/internal.h"

namespace vong::kafka {
namespace {

int milliseconds(std::chrono::milliseconds d) {
  return static_cast<int>(std::clamp<int64_t>(d.count(), 0, 3'600'000));
}

constexpr std::chrono::milliseconds kFlushBeforeAbort{2000};

}  // namespace

struct Producer::Impl {
  Options options;
  ConnectionWatch watch;
  // Of the delivery reports since the last flush. librdkafka calls back inside our own calls only
  // (poll, flush, commit).
  rd_kafka_resp_err_t failed_code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::size_t failed_deliveries = 0;
  ClientHandle client;  // last: destroyed first, its callbacks use the rest

  [[nodiscard]] KafkaResult<> answer(std::string_view what, rd_kafka_error_t* raw) {
    const ErrorHandle error(raw);
    if (!error) {
      watch.clear();
      return {};
    }
    return std::unexpected(to_error(what, error.get(), watch));
  }

  // Each message carries its producer, as the client's opaque is the connection watch.
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    auto* impl = static_cast<Impl*>(message->_private);
    if (impl->failed_deliveries++ == 0) impl->failed_code = message->err;
  }

  [[nodiscard]] rd_kafka_resp_err_t enqueue(const ProducerRecord& record);
};

namespace {

// Calls again while the answer is an error that passes by itself (a coordinator that moves or is
// busy), within `timeout`.
template <typename Call>
rd_kafka_error_t* until_it_passes(std::chrono::milliseconds timeout, Call call) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    rd_kafka_error_t* error = call();
    if (error == nullptr || rd_kafka_error_is_retriable(error) == 0 ||
        std::chrono::steady_clock::now() >= deadline)
      return error;
    rd_kafka_error_destroy(error);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&&) noexcept = default;

Producer::~Producer() {
  if (!impl_ || !impl_->client) return;
  // What is queued is dropped on purpose: without this, destroy could wait for a broker that is
  // away.
  rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                          RD_KAFKA_PURGE_F_NON_BLOCKING);
  rd_kafka_flush(impl_->client.get(), 0);
}

KafkaResult<Producer> Producer::open(const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  KafkaResult<ConfHandle> conf = make_conf(options.client, &impl->watch);
  if (!conf) return std::unexpected(conf.error());
  const std::pair<const char*, std::string> properties[] = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      // A topic that is not there is said so within seconds; one that was just made is known by
      // then.
      {"topic.metadata.propagation.max.ms", "5000"},
      {"compression.type", options.compression},
      {"linger.ms", fmt::to_string(options.linger.count())},
      {"queue.buffering.max.messages", fmt::to_string(options.queue_records_max)},
      {"queue.buffering.max.kbytes",
       fmt::to_string(std::max<std::size_t>(1, options.queue_bytes_max / 1024))},
      {"message.max.bytes", fmt::to_string(options.record_bytes_max)},
      // A record's time in the queue is bounded by the transaction, or for ever without one: the
      // spool or topic behind us decides.
      {"message.timeout.ms", options.transactional_id.empty()
                                 ? "0"
                                 : fmt::to_string(options.transaction_timeout.count())},
      {"partitioner",
       "murmur2_random"},  // as Java's clients: a key has the same partition whoever wrote it
  };
  for (const auto& [name, value] : properties) {
    if (KafkaResult<> ok = put(conf->get(), name, value); !ok) return std::unexpected(ok.error());
  }
  if (!options.transactional_id.empty()) {
    for (const auto& [name, value] :
         {std::pair{"transactional.id", options.transactional_id},
          {"transaction.timeout.ms", fmt::to_string(options.transaction_timeout.count())}}) {
      if (KafkaResult<> ok = put(conf->get(), name, value); !ok) return std::unexpected(ok.error());
    }
  }
  rd_kafka_conf_set_dr_msg_cb(conf->get(), Impl::on_delivery);
  KafkaResult<ClientHandle> client = make_client(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!client) return std::unexpected(client.error());
  impl->client = std::move(*client);
  return Producer(std::move(impl));
}

KafkaResult<> Producer::init(std::chrono::milliseconds timeout) {
  // In slices: why a broker does not answer is heard only between the calls, and a refusal is not
  // worth waiting for.
  constexpr std::chrono::milliseconds kSlice{500};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    rd_kafka_error_t* error =
        rd_kafka_init_transactions(impl_->client.get(), milliseconds(std::min(timeout, kSlice)));
    // A coordinator that still loads, or still ends our predecessor's transaction, says so in an
    // error that passes by itself.
    const bool passes =
        error != nullptr && (rd_kafka_error_is_retriable(error) != 0 ||
                             rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT);
    rd_kafka_poll(impl_->client.get(), passes ? 50 : 0);
    const bool again =
        passes && !is_refusal(impl_->watch.code()) && std::chrono::steady_clock::now() < deadline;
    if (!again)
      return impl_->answer(
          fmt::format("init of transactions as {}", impl_->options.transactional_id), error);
    rd_kafka_error_destroy(error);
  }
}

KafkaResult<> Producer::begin() {
  return impl_->answer("begin of a transaction", rd_kafka_begin_transaction(impl_->client.get()));
}

rd_kafka_resp_err_t Producer::Impl::enqueue(const ProducerRecord& record) {
  // Topic, partition, flags, value, key, opaque, timestamp, headers.
  rd_kafka_vu_t arguments[8];
  std::size_t n = 0;
  const std::string topic(record.topic);
  auto next = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    arguments[n].vtype = type;
    return arguments[n++];
  };
  next(RD_KAFKA_VTYPE_TOPIC).u.cstr = topic.c_str();
  next(RD_KAFKA_VTYPE_PARTITION).u.i32 = record.partition;
  next(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  auto& value = next(RD_KAFKA_VTYPE_VALUE).u.mem;
  value.ptr = const_cast<char*>(record.value.data());
  value.size = record.value.size();
  if (!record.key.empty()) {
    auto& key = next(RD_KAFKA_VTYPE_KEY).u.mem;
    key.ptr = const_cast<char*>(record.key.data());
    key.size = record.key.size();
  }
  next(RD_KAFKA_VTYPE_OPAQUE).u.ptr = this;
  if (record.timestamp != 0) next(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp;
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const Header& h : record.headers) {
      rd_kafka_header_add(headers, h.name.data(), static_cast<ssize_t>(h.name.size()),
                          h.value.data(), static_cast<ssize_t>(h.value.size()));
    }
    next(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
  }
  const ErrorHandle error(rd_kafka_produceva(client.get(), arguments, n));
  if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR;
  if (headers != nullptr) rd_kafka_headers_destroy(headers);  // only taken over on success
  return rd_kafka_error_code(error.get());
}

KafkaResult<> Producer::send(const ProducerRecord& record, std::chrono::milliseconds timeout) {
  rd_kafka_t* client = impl_->client.get();
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const rd_kafka_resp_err_t code = impl_->enqueue(record);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_poll(client, 0);
      return {};
    }
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || std::chrono::steady_clock::now() >= deadline) {
      return std::unexpected(
          to_error(fmt::format("record for {}", record.topic), code, impl_->watch));
    }
    rd_kafka_poll(client, 20);  // room comes with delivery reports
  }
}

KafkaResult<> Producer::send_offsets(std::span<const TopicOffset> offsets,
                                     const GroupMetadata& group,
                                     std::chrono::milliseconds timeout) {
  const PartitionsHandle list = to_list(offsets);
  return impl_->answer("offsets of the transaction", until_it_passes(timeout, [&] {
                         return rd_kafka_send_offsets_to_transaction(
                             impl_->client.get(), list.get(), group.impl().handle.get(),
                             milliseconds(timeout));
                       }));
}

KafkaResult<> Producer::commit(std::chrono::milliseconds timeout) {
  return impl_->answer("commit of the transaction", until_it_passes(timeout, [&] {
                         return rd_kafka_commit_transaction(impl_->client.get(),
                                                            milliseconds(timeout));
                       }));
}

KafkaResult<> Producer::abort(std::chrono::milliseconds timeout) {
  // What is on its way first. While the broker still ends the transaction before, it has not heard of
  // this one, and refuses to end what it does not know: librdkafka (2.0.2) is dead then.
  if (queued() > 0)
    (void)rd_kafka_flush(impl_->client.get(), milliseconds(std::min(timeout, kFlushBeforeAbort)));
  return impl_->answer("abort of the transaction", until_it_passes(timeout, [&] {
                         return rd_kafka_abort_transaction(impl_->client.get(),
                                                           milliseconds(timeout));
                       }));
}

KafkaResult<> Producer::flush(std::chrono::milliseconds timeout) {
  const rd_kafka_resp_err_t code = rd_kafka_flush(impl_->client.get(), milliseconds(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::unexpected(to_error("flush", code, impl_->watch));
  if (impl_->failed_deliveries > 0) {
    const KafkaError error =
        to_error(fmt::format("{} records were not delivered", impl_->failed_deliveries),
                 impl_->failed_code, impl_->watch);
    impl_->failed_deliveries = 0;
    return std::unexpected(error);
  }
  impl_->watch.clear();
  return {};
}

std::string Producer::last_connection_error() const { return impl_->watch.text(); }

std::size_t Producer::queued() const {
  return static_cast<std::size_t>(std::max(0, rd_kafka_outq_len(impl_->client.get())));
}

}  // namespace vong::kafka
