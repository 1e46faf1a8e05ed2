#include "correlator/app/broker_link.h"

#include "correlator/app/topics.h"

namespace vong::correlator {

kafka::KafkaResult<BrokerLink> BrokerLink::open(const Options& options, const Settings& settings,
                                                kafka::Consumer::Listener* listener,
                                                std::chrono::milliseconds patience) {
  kafka::Producer::Options p;
  p.client = options.kafka;
  p.transactional_id = settings.transactional_id;
  p.transaction_timeout = settings.transaction_timeout;
  auto producer = kafka::Producer::open(p);
  if (!producer) return std::unexpected(producer.error());
  if (auto ok = producer->init(patience); !ok) return std::unexpected(ok.error());
  kafka::Consumer::Options c;
  c.client = options.kafka;
  c.group = options.group;
  c.report_end = true;
  c.session_timeout = settings.session_timeout;
  auto consumer = kafka::Consumer::open(c, listener);
  if (!consumer) return std::unexpected(consumer.error());
  std::vector<std::string> topics{"^vong\\.events\\..*", std::string(kVerdictsTopic),
                                  std::string(kStatusTopic)};
  topics.insert(topics.end(), settings.topics.begin(), settings.topics.end());
  if (auto ok = consumer->subscribe(topics); !ok) return std::unexpected(ok.error());
  return BrokerLink{std::move(*producer), std::move(*consumer)};
}

}  // namespace vong::correlator
