#include "correlator/app/replay.h"

#include <map>

namespace vong::correlator {

using namespace std::chrono_literals;

kafka::KafkaResult<> replay_partitions(const kafka::ClientConfig& client, const std::string& group,
                                       std::span<const kafka::TopicOffset> to,
                                       const std::function<void(const kafka::Record&)>& f,
                                       const std::function<bool()>& keep_on) {
  std::map<kafka::TopicPartition, int64_t> left;  // partition -> the offset to stop before
  std::vector<kafka::TopicOffset> from;
  for (const kafka::TopicOffset& t : to) {
    if (t.offset <= 0) continue;
    left[{t.topic, t.partition}] = t.offset;
    from.push_back({t.topic, t.partition, kafka::kNoOffset, {}});
  }
  if (left.empty()) return {};
  kafka::Consumer::Options options;
  options.client = client;
  options.group = group;
  options.report_end = true;
  auto consumer = kafka::Consumer::open(options);
  if (!consumer) return std::unexpected(consumer.error());
  if (auto ok = consumer->assign(from); !ok) return ok;
  std::vector<kafka::Record> records;
  while (!left.empty()) {
    records.clear();
    if (auto ok = consumer->poll_batch(10'000, 200ms, records); !ok) {
      if (ok.error().answer != kafka::Answer::kRetry) return ok;
    }
    if (!keep_on())
      return std::unexpected(
          kafka::KafkaError{kafka::Answer::kRetry, kafka::code::kNone, "stopped"});
    for (const kafka::Record& r : records) {
      const auto it = left.find({std::string(r.topic()), r.partition()});
      if (it == left.end()) continue;
      if (r.offset() >= it->second)
        left.erase(it);
      else
        f(r);
    }
    for (const kafka::TopicPartition& p : consumer->ended()) left.erase(p);
  }
  return {};
}

}  // namespace vong::correlator
