// What can go wrong between us and a broker, and what is to be done about it. The decision is a
// pure function of what librdkafka said (answer_to), so its test needs no broker; the callers act
// on the answer alone.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace vong::kafka {

// What the caller does next.
enum class Answer : uint8_t {
  kRetry,    // the same call again after a pause; nothing is lost, nothing is decided
  kAbort,    // abort the transaction, then do its work again in a new one
  kRebuild,  // this client is dead (as librdkafka 2.0.2 is after some broker restarts): destroy it,
             // open a new one, go on from what is committed
  kFenced,   // a later client with our transactional id is alive, or our transaction outlived its
             // timeout: as kRebuild, but tell
  kRefused,  // the broker does not let us in or forbids the operation: waiting does not help, a
             // person has to act
  kReject,   // this record can never be delivered (too large, malformed): drop it with its reason
};

// librdkafka's error codes that the decision speaks of; the same numbers (kafka/error.cc proves
// it).
namespace code {
inline constexpr int kNone = 0;
inline constexpr int kTransport = -195;
inline constexpr int kMessageTimedOut = -192;
inline constexpr int kUnknownTopicLocal = -188;
inline constexpr int kAllBrokersDown = -187;
inline constexpr int kTimedOut = -185;
inline constexpr int kQueueFull = -184;
inline constexpr int kSsl = -181;
inline constexpr int kState = -172;
inline constexpr int kAuthentication = -169;
inline constexpr int kPurgeQueue = -152;
inline constexpr int kFatal = -150;
inline constexpr int kGaplessGuarantee = -148;
inline constexpr int kMaxPollExceeded = -147;
inline constexpr int kFencedLocal = -144;
inline constexpr int kUnknownTopic = 3;
inline constexpr int kMessageTooLarge = 10;
inline constexpr int kNotCoordinator = 16;
inline constexpr int kTopicException = 17;
inline constexpr int kRecordListTooLarge = 18;
inline constexpr int kIllegalGeneration = 22;
inline constexpr int kUnknownMember = 25;
inline constexpr int kRebalanceInProgress = 27;
inline constexpr int kTopicAuthorization = 29;
inline constexpr int kGroupAuthorization = 30;
inline constexpr int kClusterAuthorization = 31;
inline constexpr int kUnsupportedSaslMechanism = 33;
inline constexpr int kInvalidProducerEpoch = 47;
inline constexpr int kTransactionalIdAuthorization = 53;
inline constexpr int kSaslAuthentication = 58;
inline constexpr int kFencedInstance = 82;
inline constexpr int kInvalidRecord = 87;
inline constexpr int kProducerFenced = 90;
}  // namespace code

// What librdkafka says of one failed call.
struct Failure {
  int code = code::kNone;
  bool fatal = false;           // the client instance can do nothing more
  bool retriable = false;       // the call may be repeated
  bool requires_abort = false;  // the transaction can only be aborted
};

// True for what only a person can change: credentials, certificates, access rights.
[[nodiscard]] constexpr bool is_refusal(int c) {
  return c == code::kAuthentication || c == code::kSsl || c == code::kSaslAuthentication ||
         c == code::kUnsupportedSaslMechanism || c == code::kTopicAuthorization ||
         c == code::kGroupAuthorization || c == code::kClusterAuthorization ||
         c == code::kTransactionalIdAuthorization;
}

[[nodiscard]] constexpr bool is_fencing(int c) {
  return c == code::kFencedLocal || c == code::kProducerFenced ||
         c == code::kInvalidProducerEpoch || c == code::kFencedInstance;
}

// A topic that is not there is answered like a refusal: topics do not create themselves.
[[nodiscard]] constexpr bool is_missing_topic(int c) {
  return c == code::kUnknownTopic || c == code::kUnknownTopicLocal;
}

// `last_connection_code` is the newest error of the client's connections since one of them worked,
// 0 for none: librdkafka reports refused credentials there, and to the caller only as a time-out.
[[nodiscard]] constexpr Answer answer_to(const Failure& f, int last_connection_code = code::kNone) {
  if (is_fencing(f.code)) return Answer::kFenced;
  if (is_refusal(f.code) || is_missing_topic(f.code)) return Answer::kRefused;
  if (f.fatal || f.code == code::kFatal) return Answer::kRebuild;
  if (f.requires_abort) return Answer::kAbort;
  switch (f.code) {
    case code::kMessageTooLarge:
    case code::kRecordListTooLarge:
    case code::kInvalidRecord:
    case code::kTopicException:
      return Answer::kReject;
    case code::kTimedOut:
    case code::kTransport:
    case code::kAllBrokersDown:
      return is_refusal(last_connection_code) ? Answer::kRefused : Answer::kRetry;
    case code::kIllegalGeneration:
    case code::kUnknownMember:
    case code::kRebalanceInProgress:
    case code::kMaxPollExceeded:
    case code::kMessageTimedOut:
      return Answer::kAbort;
    case code::kState:
    case code::kPurgeQueue:
    case code::kGaplessGuarantee:
      return Answer::kRebuild;
    default:
      return f.retriable                  ? Answer::kRetry
             : code::kQueueFull == f.code ? Answer::kRetry
                                          : Answer::kAbort;
  }
}

struct KafkaError {
  Answer answer = Answer::kRetry;
  int code = code::kNone;
  std::string message;  // one line: what was tried, what the broker or librdkafka said
};

template <typename T = void>
using KafkaResult = std::expected<T, KafkaError>;

[[nodiscard]] std::string_view answer_name(Answer answer);

}  // namespace vong::kafka
