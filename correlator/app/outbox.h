// What goes out with the next transaction: incidents to their recipients, warnings, dead letters.
// Single thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "correlator/routing/router.h"
#include "events/incident.h"
#include "kafka/producer.h"
#include "kafka/types.h"

namespace vong::correlator {

class Outbox {
 public:
  // `router` must outlive it.
  Outbox(const routing::Router& router, std::string dead_letter_topic)
      : router_(router), dead_letter_topic_(std::move(dead_letter_topic)) {}

  void send(const events::Incident& incident);
  void add(std::string topic, std::string_view key, std::string_view value) {
    outgoing_.push_back({std::move(topic), std::string(key), std::string(value)});
  }
  void dead_letter(const kafka::TopicPartition& from, int64_t offset, std::string_view value,
                   std::string_view reason);
  // For who writes it elsewhere, while the next is gathered here.
  struct Outgoing {
    std::string topic, key, value;
  };
  [[nodiscard]] std::vector<Outgoing> take() { return std::exchange(outgoing_, {}); }
  // Into the transaction that is open. What can never be delivered is logged and left out.
  [[nodiscard]] static kafka::KafkaResult<> write(const std::vector<Outgoing>& outgoing,
                                                  kafka::Producer& producer);
  void clear() { outgoing_.clear(); }
  [[nodiscard]] bool empty() const { return outgoing_.empty(); }
  [[nodiscard]] size_t size() const { return outgoing_.size(); }  // records

 private:
  const routing::Router& router_;
  std::string dead_letter_topic_;
  std::vector<Outgoing> outgoing_;
};

}  // namespace vong::correlator
