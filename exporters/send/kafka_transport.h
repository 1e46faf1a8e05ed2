// Records to one Kafka topic, in transactions, with the headers of the contract: sensor, agency,
// seq, ruleset.
//
// The position is a committed offset of a consumer group that nobody joins, named as the
// transactional id, written inside the transaction: offset = number of the next record, metadata =
// spool and base. See the README for why it stands there.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "exporters/send/status_topic.h"
#include "exporters/send/transport.h"
#include "kafka/client_config.h"
#include "kafka/producer.h"

namespace vong::send {

class KafkaTransport : public Transport {
 public:
  struct Options {
    kafka::ClientConfig client;
    std::string topic;
    std::string sensor;
    std::string agency;
    std::string compression = "lz4";
    std::chrono::milliseconds call_timeout{
        10'000};  // of one call to the broker, before the forwarder looks up again
    std::chrono::milliseconds transaction_timeout{60'000};
    std::string status_file;  // goes to vong.status when it changes; empty: none
  };
  explicit KafkaTransport(Options options);

  [[nodiscard]] Reply connect(Committed& committed) override;
  [[nodiscard]] Reply begin() override;
  [[nodiscard]] Reply send(const Delivery& delivery) override;
  [[nodiscard]] Reply commit(const Committed& position) override;
  [[nodiscard]] Reply abort() override;
  void disconnect() override;
  void idle() override;
  [[nodiscard]] std::string name() const override;

  [[nodiscard]] const std::string& transactional_id() const { return id_; }

 private:
  [[nodiscard]] Reply open_producer();
  void poll_status();
  [[nodiscard]] Reply read_position(Committed& committed) const;

  Options options_;
  std::string id_;  // transactional id and group
  std::optional<kafka::Producer> producer_;
  bool shut_out_ = false;  // older senders, by producer_
  StatusTopic status_;
  bool offsets_sent_ = false;
  std::chrono::steady_clock::time_point status_again_{};  // when the file is looked at again
};

}  // namespace vong::send
