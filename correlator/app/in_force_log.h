// Where a run that reads all events itself keeps which rules are in force (RulesInForce): the topic
// vong.state.<group>, one record of its transactional id, written in the transaction of a change.
// Single thread.
#pragma once

#include <chrono>
#include <functional>

#include "correlator/app/options.h"
#include "correlator/app/outbox.h"
#include "correlator/app/rules_in_force.h"
#include "kafka/consumer.h"

namespace vong::correlator {

class InForceLog {
 public:
  explicit InForceLog(const Options& options) : options_(options) {}

  // Reads what the log says, unless that is known. `keep_on` false: gives up with kRetry.
  [[nodiscard]] kafka::KafkaResult<> read(const kafka::Consumer& consumer,
                                          std::chrono::milliseconds patience,
                                          const std::function<bool()>& keep_on);
  // Somebody else may have written, or what we wrote was not committed.
  void forget() { known_ = false; }

  [[nodiscard]] RulesInForce& rules() { return rules_; }
  // What rules() says now, with the next transaction.
  void write(Outbox& outbox) const;

 private:
  const Options& options_;
  RulesInForce rules_;
  bool known_ = false, there_is_topic_ = false;
};

}  // namespace vong::correlator
