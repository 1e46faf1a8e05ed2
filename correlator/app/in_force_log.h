// Which rules are in force (RulesInForce), and their files as text beside it, in pieces, so that a
// start with other rules can begin with those and change them as a reload does: the topic
// vong.state.<group>, written in the transaction of a change. A run that reads all events itself
// has one record there, under its transactional id; where the work is divided the leader's
// partition of facts has one. Single thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "correlator/app/options.h"
#include "correlator/app/outbox.h"
#include "correlator/app/rules_in_force.h"
#include "kafka/consumer.h"
#include "rules/sigma/rule.h"

namespace vong::correlator {

class InForceLog {
 public:
  // `key`: of its record; its pieces of text stand under names that begin with it.
  InForceLog(const Options& options, std::string key) : options_(options), key_(std::move(key)) {}

  // Reads what the log says, unless that is known. `keep_on` false: gives up with kRetry.
  [[nodiscard]] kafka::KafkaResult<> read(const kafka::Consumer& consumer,
                                          std::chrono::milliseconds patience,
                                          const std::function<bool()>& keep_on);
  // Somebody else may have written, or what we wrote was not committed.
  void forget() { known_ = false; }

  [[nodiscard]] RulesInForce& rules() { return rules_; }
  // The rules in force, loaded from their text, when they are others than `now`. Nothing when they
  // are the same, or nobody knows them; a text that cannot be loaded again is logged.
  [[nodiscard]] std::optional<sigma::RuleSet> others_than(const sigma::RuleSet& now) const;
  // What rules() says now, with the next transaction; `text` is that of these rules.
  void write(std::string_view text, Outbox& outbox);
  // The same if the log does not have this text.
  void keep(std::string_view text, Outbox& outbox);
  // `now` with the text of these rules, if that is not what the log says. Whether there was any.
  bool write_news(const RulesInForce& now, std::string_view text, Outbox& outbox);

  static constexpr size_t kPieceBytes = 700'000;      // a record of the broker takes a million
  static constexpr size_t kTextBytesMax = 64u << 20;  // beyond, no text is kept

 private:
  [[nodiscard]] static uint64_t print_of(std::string_view text);
  // As the log has it; empty when it is not there as a whole.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_of(const sigma::RuleSet& rules) const;
  void take_piece(uint32_t number, std::string_view value);
  void write_text(std::string_view text, Outbox& outbox);

  const Options& options_;
  const std::string key_;
  RulesInForce rules_;
  std::map<uint32_t, std::string> pieces_;  // as the log has them
  bool known_ = false, there_is_topic_ = false;
};

}  // namespace vong::correlator
