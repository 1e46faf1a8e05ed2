#include "kafka/error.h"

#include <fmt/format.h>

#include "kafka/internal.h"

namespace vong::kafka {

static_assert(code::kTransport == RD_KAFKA_RESP_ERR__TRANSPORT);
static_assert(code::kMessageTimedOut == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
static_assert(code::kUnknownTopicLocal == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC);
static_assert(code::kAllBrokersDown == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
static_assert(code::kTimedOut == RD_KAFKA_RESP_ERR__TIMED_OUT);
static_assert(code::kQueueFull == RD_KAFKA_RESP_ERR__QUEUE_FULL);
static_assert(code::kSsl == RD_KAFKA_RESP_ERR__SSL);
static_assert(code::kState == RD_KAFKA_RESP_ERR__STATE);
static_assert(code::kAuthentication == RD_KAFKA_RESP_ERR__AUTHENTICATION);
static_assert(code::kPurgeQueue == RD_KAFKA_RESP_ERR__PURGE_QUEUE);
static_assert(code::kFatal == RD_KAFKA_RESP_ERR__FATAL);
static_assert(code::kGaplessGuarantee == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE);
static_assert(code::kMaxPollExceeded == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED);
static_assert(code::kFencedLocal == RD_KAFKA_RESP_ERR__FENCED);
static_assert(code::kUnknownTopic == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
static_assert(code::kMessageTooLarge == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
static_assert(code::kNotCoordinator == RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
static_assert(code::kTopicException == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
static_assert(code::kRecordListTooLarge == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE);
static_assert(code::kIllegalGeneration == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
static_assert(code::kUnknownMember == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
static_assert(code::kRebalanceInProgress == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
static_assert(code::kTopicAuthorization == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
static_assert(code::kGroupAuthorization == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
static_assert(code::kClusterAuthorization == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
static_assert(code::kUnsupportedSaslMechanism == RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM);
static_assert(code::kInvalidProducerEpoch == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
static_assert(code::kTransactionalIdAuthorization ==
              RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
static_assert(code::kSaslAuthentication == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
static_assert(code::kFencedInstance == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
static_assert(code::kInvalidRecord == RD_KAFKA_RESP_ERR_INVALID_RECORD);
static_assert(code::kProducerFenced == RD_KAFKA_RESP_ERR_PRODUCER_FENCED);

std::string_view answer_name(Answer answer) {
  switch (answer) {
    case Answer::kRetry:
      return "retry";
    case Answer::kAbort:
      return "abort";
    case Answer::kRebuild:
      return "rebuild";
    case Answer::kFenced:
      return "fenced";
    case Answer::kRefused:
      return "refused";
    case Answer::kReject:
      return "reject";
  }
  return "unknown";
}

void ConnectionWatch::on_error(int code, std::string text) {
  const std::lock_guard lock(mutex_);
  if (is_refusal(code_) && !is_refusal(code)) return;
  code_ = code;
  text_ = std::move(text);
}

void ConnectionWatch::clear() {
  const std::lock_guard lock(mutex_);
  code_ = code::kNone;
  text_.clear();
}

int ConnectionWatch::code() const {
  const std::lock_guard lock(mutex_);
  return code_;
}

std::string ConnectionWatch::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

namespace {

// librdkafka tells how many milliseconds a refusal took and how often it came: the reader of the
// log wants one line that stays the same.
std::string without_timing(std::string text) {
  if (const size_t at = text.find(" (after "); at != std::string::npos) text.resize(at);
  return text;
}

KafkaError make_error(std::string_view what, const Failure& failure, std::string text,
                      const ConnectionWatch& watch) {
  const std::string connection = watch.text();
  KafkaError error{answer_to(failure, watch.code()), failure.code, {}};
  if (is_refusal(watch.code())) text = without_timing(connection);  // the rest follows from it
  error.message = fmt::format("{}: {}", what, text);
  if (!connection.empty() && !is_refusal(watch.code()) &&
      text.find(connection) == std::string::npos)
    error.message += fmt::format(" ({})", connection);
  for (char& c : error.message) c = c == '\n' || c == '\r' ? ' ' : c;
  return error;
}

}  // namespace

KafkaError to_error(std::string_view what, const rd_kafka_error_t* error,
                    const ConnectionWatch& watch) {
  const Failure failure{rd_kafka_error_code(error), rd_kafka_error_is_fatal(error) != 0,
                        rd_kafka_error_is_retriable(error) != 0,
                        rd_kafka_error_txn_requires_abort(error) != 0};
  return make_error(what, failure, rd_kafka_error_string(error), watch);
}

KafkaError to_error(std::string_view what, rd_kafka_resp_err_t code, const ConnectionWatch& watch,
                    const char* text) {
  return make_error(what, Failure{.code = code, .fatal = code == RD_KAFKA_RESP_ERR__FATAL},
                    text != nullptr ? text : rd_kafka_err2str(code), watch);
}

}  // namespace vong::kafka
