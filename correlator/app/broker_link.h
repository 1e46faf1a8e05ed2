// A process's two ends at the broker: the producer of its transactions, and its consumer in the
// group.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "correlator/app/options.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"

namespace vong::correlator {

struct BrokerLink {
  struct Settings {
    std::string transactional_id;
    std::chrono::milliseconds transaction_timeout = kafka::Producer::Options().transaction_timeout;
    std::chrono::milliseconds session_timeout = kafka::Consumer::Options().session_timeout;
    std::vector<std::string> topics;  // beside those of all agencies' events, verdicts and status
  };

  // Fences older producers of that id, and asks to be let into the group: partitions come with the
  // consumer's polls. `listener` must outlive the link. Waits up to `patience` for the broker.
  [[nodiscard]] static kafka::KafkaResult<BrokerLink> open(const Options& options,
                                                           const Settings& settings,
                                                           kafka::Consumer::Listener* listener,
                                                           std::chrono::milliseconds patience);

  kafka::Producer producer;
  kafka::Consumer consumer;
};

}  // namespace vong::correlator
