#include "correlator/app/topics.h"

#include <chrono>
#include <string>
#include <utility>

#include "correlator/app/leadership.h"

namespace vong::correlator {

std::vector<kafka::NewTopic> topics_of(const Options& o, const enrich::Registry& registry) {
  std::vector<kafka::NewTopic> topics;
  using Settings = decltype(kafka::NewTopic::settings);
  const auto add = [&](std::string name, Settings settings = {}) {
    topics.push_back(
        {std::move(name), o.topic_partitions, o.topic_replication, std::move(settings)});
  };
  for (const enrich::Agency& a : registry.agencies()) {
    add(std::string(kEventsPrefix) + a.id);
    add("vong.incidents." + a.id);
  }
  add("vong.incidents.national");
  add("vong.warnings");
  add(std::string(kVerdictsTopic));
  for (const std::string_view topic : {kStatusTopic, kCoverageTopic, kRulePacksTopic})
    add(std::string(topic), {{"cleanup.policy", "compact"}});
  add(o.dead_letter_topic);
  if (o.facts_partitions > 0) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(o.facts_retention);
    topics.push_back({o.facts_topic,
                      o.facts_partitions + 1,  // the last is the leader's
                      o.topic_replication,
                      {{"retention.ms", std::to_string(ms.count())}}});
  }
  topics.push_back({state_topic(o), 1, o.topic_replication, {{"cleanup.policy", "compact"}}});
  if (o.standby) topics.push_back({Leadership::leader_topic(o), 1, o.topic_replication, {}});
  return topics;
}

}  // namespace vong::correlator
