// Where a run that reads all events itself keeps which rules are in force (RulesInForce): the topic
// vong.state.<group>, one record of its transactional id, written in the transaction of a change.
// Beside it stand the rules' files as text, in pieces, so that a start with other rules can begin
// with those and change them as a reload does. Single thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

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
  // The text of the rules in force, as the log has it; empty when it is not there as a whole.
  [[nodiscard]] std::string text() const;
  // What rules() says now, with the next transaction; `text` is that of these rules.
  void write(std::string_view text, Outbox& outbox);
  // The same if the log does not have this text.
  void keep(std::string_view text, Outbox& outbox);

  static constexpr size_t kPieceBytes = 700'000;      // a record of the broker takes a million
  static constexpr size_t kTextBytesMax = 64u << 20;  // beyond, no text is kept

 private:
  [[nodiscard]] static uint64_t print_of(std::string_view text);
  void take_piece(uint32_t number, std::string_view value);
  void write_text(std::string_view text, Outbox& outbox);

  const Options& options_;
  RulesInForce rules_;
  std::map<uint32_t, std::string> pieces_;  // as the log has them
  bool known_ = false, there_is_topic_ = false;
};

}  // namespace vong::correlator
