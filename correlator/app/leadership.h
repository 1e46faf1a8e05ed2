#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "correlator/app/options.h"
#include "kafka/consumer.h"

namespace vong::correlator {

// Which of several processes works: the one to which the group gives the only partition of a topic
// without records. The others wait. Single thread.
class Leadership : private kafka::Consumer::Listener {
 public:
  explicit Leadership(const Options& options);
  static std::string leader_topic(const Options& options) { return "vong.leader." + options.group; }
  // Short, because nobody works while a dead leader's session lasts.
  static constexpr std::chrono::seconds kSessionTimeout{10};

  // Whether this process leads; waits a little when it does not.
  [[nodiscard]] kafka::KafkaResult<bool> poll();

 private:
  void on_assigned(std::span<const kafka::TopicPartition> partitions) override;
  void on_revoked(std::span<const kafka::TopicPartition> partitions, bool lost) override;

  kafka::Consumer::Options options_;
  std::optional<kafka::Consumer> consumer_;
  bool leads_ = false;
};

}  // namespace vong::correlator
