#include "exporters/send/kafka_transport.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "kafka/consumer.h"

namespace vong::send {
namespace {

Reply to_reply(const kafka::KafkaError& error) {
  switch (error.answer) {
    case kafka::Answer::kRetry:
      return {Step::kRetry, error.message};
    case kafka::Answer::kAbort:
      return {Step::kAbort, error.message};
    case kafka::Answer::kRebuild:
    case kafka::Answer::kFenced:
      return {Step::kReconnect, error.message};
    case kafka::Answer::kRefused:
      return {Step::kRefused, error.message};
    case kafka::Answer::kReject:
      return {Step::kReject, error.message};
  }
  return {Step::kReconnect, error.message};
}

Reply to_reply(const kafka::KafkaResult<>& result) {
  return result ? Reply{} : to_reply(result.error());
}

// Outside send(), a record cannot be what is wrong.
Reply never_reject(Reply reply) {
  if (reply.step == Step::kReject) reply.step = Step::kAbort;
  return reply;
}

// Where a sensor's position stands among the partitions of its topic: always at the first.
constexpr int32_t kPositionPartition = 0;

constexpr std::chrono::seconds kStatusLooksEvery{1};

KafkaTransport::Options named(KafkaTransport::Options options) {
  if (options.client.client_id.empty())
    options.client.client_id = fmt::format("vong-{}", options.sensor);
  return options;
}

}  // namespace

KafkaTransport::KafkaTransport(Options options)
    : options_(named(std::move(options))),
      id_(fmt::format("vong-forward-{}-{}", options_.topic, options_.sensor)),
      status_({.client = options_.client, .sensor = options_.sensor, .file = options_.status_file}) {}

std::string KafkaTransport::name() const {
  return fmt::format("kafka {} topic {}", options_.client.brokers, options_.topic);
}

Reply KafkaTransport::open_producer() {
  kafka::Producer::Options options{.client = options_.client,
                                   .transactional_id = id_,
                                   .transaction_timeout = options_.transaction_timeout,
                                   .compression = options_.compression};
  // Key, value and headers; a spooled payload is at most 1,000,000 bytes.
  options.record_bytes_max = 1'040'000;
  kafka::KafkaResult<kafka::Producer> producer = kafka::Producer::open(options);
  if (!producer) return to_reply(producer.error());
  producer_.emplace(std::move(*producer));
  shut_out_ = false;
  return {};
}

Reply KafkaTransport::connect(Committed& committed) {
  if (!producer_) {
    if (Reply reply = open_producer(); !reply.ok()) return reply;
  }
  // First shut out older senders: their open transaction is ended by this, so the position read
  // afterwards is the last word.
  if (!shut_out_) {
    if (Reply reply = never_reject(to_reply(producer_->init(options_.call_timeout))); !reply.ok())
      return reply;
    shut_out_ = true;
  }
  return never_reject(read_position(committed));
}

Reply KafkaTransport::read_position(Committed& committed) const {
  // Our transactions are over, so the position is final. An offset that the broker still takes for
  // open came too late for its transaction and will never count: waiting for it has no end.
  kafka::KafkaResult<kafka::Consumer> consumer =
      kafka::Consumer::open({.client = options_.client, .group = id_, .committed_only = false});
  if (!consumer) return to_reply(consumer.error());
  if (auto partitions = consumer->partition_count(options_.topic, options_.call_timeout);
      !partitions)
    return to_reply(partitions.error());
  const kafka::TopicPartition place{options_.topic, kPositionPartition};
  const auto offsets = consumer->committed({&place, 1}, options_.call_timeout);
  if (!offsets) return to_reply(offsets.error());
  committed = Committed{};
  if (!offsets->empty() && offsets->front().offset != kafka::kNoOffset) {
    committed =
        from_metadata(static_cast<uint64_t>(offsets->front().offset), offsets->front().metadata);
  }
  return {};
}

Reply KafkaTransport::begin() {
  offsets_sent_ = false;
  poll_status();
  return never_reject(to_reply(producer_->begin()));
}

void KafkaTransport::idle() { poll_status(); }

void KafkaTransport::poll_status() {
  const auto now = std::chrono::steady_clock::now();
  if (now < status_again_) return;
  status_again_ = now + kStatusLooksEvery;
  status_.poll();
}

Reply KafkaTransport::send(const Delivery& d) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, d.seq);
  const std::array headers = {
      kafka::Header{"sensor", options_.sensor}, kafka::Header{"agency", options_.agency},
      kafka::Header{"seq", std::string_view(digits, static_cast<std::size_t>(end - digits))},
      kafka::Header{"ruleset", d.ruleset}};
  return to_reply(producer_->send({.topic = options_.topic,
                                   .key = d.key,
                                   .value = d.value,
                                   .headers = headers,
                                   .timestamp = to_ns(d.time) / 1'000'000}));
}

Reply KafkaTransport::commit(const Committed& position) {
  if (!offsets_sent_) {
    const kafka::TopicOffset offset{options_.topic, kPositionPartition,
                                    static_cast<int64_t>(position.next), to_metadata(position)};
    const Reply reply = never_reject(to_reply(
        producer_->send_offsets({&offset, 1}, kafka::GroupMetadata(id_), options_.call_timeout)));
    if (!reply.ok()) return reply;
    offsets_sent_ = true;
  }
  return never_reject(to_reply(producer_->commit(options_.call_timeout)));
}

Reply KafkaTransport::abort() {
  return never_reject(to_reply(producer_->abort(options_.call_timeout)));
}

void KafkaTransport::disconnect() {
  status_.flush();
  producer_.reset();
}

}  // namespace vong::send
