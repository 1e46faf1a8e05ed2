// MQTT as a protocol of flows. A transaction is an exchange: a request with all messages that
// answer it (CONNECT and CONNACK; PUBLISH, PUBREC, PUBREL and PUBCOMP), or a message that needs no
// answer.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/mqtt/limits.h"
#include "sensor/applayer/mqtt/message.h"

namespace vong::mqtt {

enum Progress : uint8_t { kOpen, kDone };

enum Event : applayer::EventId {
  kMissingConnect,
  kMissingPublish,
  kMissingSubscribe,
  kMissingUnsubscribe,
  kDoubleConnect,
  kUnintroducedMessage,
  kInvalidQosLevel,
  kMissingMessageId,
  kUnassignedMessageType,
  kTooManyTransactions,
  kMalformedTraffic,
  kEventCount
};

enum Frame : uint8_t { kFramePdu, kFrameHeader, kFrameData };

struct Config {
  size_t message_bytes_max = kMaxMessageBytes;
  size_t transactions_max = kMaxTransactions;
  uint32_t subscribe_topics_max = kTopicMatchLimit;  // what rules see of them
  uint32_t unsubscribe_topics_max = kTopicMatchLimit;
};

struct Transaction : applayer::Transaction {
  explicit Transaction(const Config& c) : config(c) {}

  std::vector<Message> messages;
  uint8_t version = 0;  // of the session when this began
  size_t held_bytes = 0;
  std::optional<uint32_t> waits_for;  // packet id of the answer that completes it
  const Config& config;
};

class MqttParser : public applayer::Parser {
 public:
  explicit MqttParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  void note_frames(Direction d, uint64_t offset, const FixedHeader& h);
  void take(Direction d, Message m, size_t bytes);
  void begins(Direction d, Message m, size_t bytes);
  void answers(Direction d, Message m, size_t bytes, uint32_t id, bool last, Event missing);
  Transaction& make(Direction d);
  static void keep(Transaction& tx, Message m, size_t bytes);
  void wait(Transaction& tx, uint32_t id);
  void complete(Transaction& tx);
  void bound();

  const Config& config_;
  uint8_t version_ = 0;
  bool connected_ = false;
  uint64_t skip_[kDirections] = {0, 0};  // bytes of a message that was too long
  // Exchanges that wait: by their ids, oldest first, and by what they wait for.
  std::map<uint64_t, Transaction*> waiting_;
  absl::flat_hash_map<uint32_t, std::deque<Transaction*>> by_packet_id_;
  size_t held_bytes_ = 0;
};

extern const applayer::ProtocolDef kMqttProtocol;

[[nodiscard]] bool log_mqtt(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);

}  // namespace vong::mqtt
