// Every maximum of MQTT, with what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sensor/applayer/core/limits.h"

namespace vong::mqtt {

// Longer messages are skipped: of them only the type and the size are known (max-msg-length).
inline constexpr size_t kMaxMessageBytes = 1024 * 1024;
// Never more than the driver lets a parser wait for, with the longest fixed header.
inline constexpr size_t kMessageBytesCap = applayer::kUnconsumedBytesMax - 8;
// Exchanges that wait for their answer; beyond it the oldest is closed, with an event (max-tx).
inline constexpr size_t kMaxTransactions = 1024;
// Bytes of messages held by exchanges that wait; beyond it the oldest is closed, with an event.
inline constexpr size_t kMaxHeldBytes = 32 * 1024 * 1024;
// Properties and topics kept of a message; the rest is read over.
inline constexpr size_t kMaxProperties = 256;
inline constexpr size_t kMaxTopics = 4096;
// Messages that one exchange keeps (a broken peer may repeat PUBREC for ever); more are not kept.
inline constexpr size_t kMaxMessagesPerTransaction = 64;
// Topics that rules see (subscribe-topic-match-limit, unsubscribe-topic-match-limit).
inline constexpr uint32_t kTopicMatchLimit = 100;
// Of each text in records (string-log-limit).
inline constexpr size_t kMaxLogBytes = 1024;

}  // namespace vong::mqtt
