#include "correlator/app/in_force_log.h"

#include <spdlog/spdlog.h>

#include "correlator/app/replay.h"
#include "correlator/app/topics.h"

namespace vong::correlator {

kafka::KafkaResult<> InForceLog::read(const kafka::Consumer& consumer,
                                      std::chrono::milliseconds patience,
                                      const std::function<bool()>& keep_on) {
  if (known_) return {};
  rules_ = {};
  const kafka::TopicPartition name{state_topic(options_), 0};
  const auto count = consumer.partition_count(name.topic, patience);
  there_is_topic_ = count.has_value();
  if (!count) {
    if (count.error().code != kafka::code::kUnknownTopic &&
        count.error().code != kafka::code::kUnknownTopicLocal)
      return std::unexpected(count.error());
    spdlog::warn(
        "there is no topic {}: after a reload of the rules and a restart, incidents are worked out "
        "as if the new rules had always been in force",
        name.topic);
    known_ = true;
    return {};
  }
  const auto bounds = consumer.watermarks(name, patience);
  if (!bounds) return std::unexpected(bounds.error());
  const kafka::TopicOffset to{name.topic, 0, bounds->second, {}};
  const auto take_record = [this](const kafka::Record& r) {
    if (r.key() != options_.transactional_id) return;
    if (auto read = RulesInForce::parse(r.value())) rules_ = std::move(*read);
  };
  auto done = replay_partitions(options_.kafka, options_.group + "-replay", std::span(&to, 1),
                                take_record, keep_on);
  known_ = done.has_value();
  return done;
}

void InForceLog::write(Outbox& outbox) const {
  if (there_is_topic_) outbox.add(state_topic(options_), options_.transactional_id, rules_.json());
}

}  // namespace vong::correlator
