// One process of those that divide the work: what divided.h says, as one loop of reading, working
// and writing. Records of events are looked at on a thread of their own ahead of the loop
// (RecordReading), and transactions are written on another behind it (Committer); everything else
// is the loop's.
//
//   divided.cc          the loop, connections, transactions
//   divided_restore.cc  partitions that are taken over, late facts
//   divided_rules.cc    other rules, while it works and at a start
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "correlator/app/block_outbox.h"
#include "correlator/app/broker_link.h"
#include "correlator/app/committer.h"
#include "correlator/app/divided.h"
#include "correlator/app/event_partitions.h"
#include "correlator/app/in_force_log.h"
#include "correlator/app/keyed_partitions.h"
#include "correlator/app/metrics.h"
#include "correlator/app/outbox.h"
#include "correlator/app/rule_reload.h"
#include "telemetry/server.h"

namespace vong::correlator {

class DividedRun : private kafka::Consumer::Listener {
 public:
  DividedRun(const Options& options, const enrich::Registry& registry, sigma::RuleSet rules,
             app::Signals& signals, const ReloadRules& reload);
  int run();

 private:
  static constexpr std::chrono::seconds kPatience{30};

  // --- the loop, connections (divided.cc) ---
  [[nodiscard]] KeyedPartitions::Sinks sinks();
  bool failed(const kafka::KafkaError& e);
  bool connect();
  void disconnect();
  // All that is not committed, and the state that knows of it.
  void forget();
  void on_assigned(std::span<const kafka::TopicPartition>) override { rebalanced_ = true; }
  void on_revoked(std::span<const kafka::TopicPartition>, bool lost) override;
  bool step();
  void take_all();
  bool take_read(size_t ahead_max);

  // --- transactions (divided.cc) ---
  bool commit_in_time();
  // Begins the transaction of all that was done; waits for the one before.
  bool commit();
  // Takes note of how the transaction under way has ended, if it has; `wait`: it will have. One
  // that was not committed sets rebalanced_ and broken_: the state is ahead of what is committed.
  bool note_commit(bool wait);
  void commit_what_is_done();

  // --- taking over, late facts (divided_restore.cc) ---
  bool restore();
  [[nodiscard]] kafka::KafkaResult<> take_over_facts(const kafka::TopicPartition& name,
                                                     const kafka::TopicOffset& committed);
  [[nodiscard]] kafka::KafkaResult<> take_over_events(
      const std::vector<kafka::TopicOffset>& committed);
  bool again(const kafka::KafkaError& e);
  [[nodiscard]] bool gathered() const;
  bool correct();

  // --- other rules (divided_rules.cc) ---
  bool swap_rules();
  // The rules under which the leader's partition is to be rebuilt.
  [[nodiscard]] kafka::KafkaResult<const sigma::RuleSet*> rules_of_leader();
  bool change_rules();
  void warn_of_long_memory() const;
  void note_rules_in_force();

  const Options& options_;
  const enrich::Registry& registry_;
  std::unique_ptr<sigma::RuleSet> rules_;
  std::unique_ptr<sigma::RuleSet> rules_before_;  // of a leader that has not changed to rules_ yet
  app::Signals& signals_;
  routing::Router router_;
  EngineCounters totals_;
  OnlineCounters online_;
  telemetry::Registry metrics_;
  std::optional<telemetry::Server> server_;
  Outbox outbox_;
  BlockOutbox blocks_;
  EventPartitions events_;
  KeyedPartitions keyed_;
  InForceLog in_force_;  // of the leader's partition
  std::string transactional_id_;
  std::optional<BrokerLink> link_;
  Committer committer_;  // its thread uses the link
  std::vector<kafka::Record> records_;
  bool rebalanced_ = true, refused_ = false, leaving_ = false;
  bool clean_ = true;    // nothing was done since the last transaction began
  bool broken_ = false;  // the states have no way to be committed any more
  int64_t committed_ns_ = 0, late_since_ns_ = 0, next_correction_ns_ = 0;
  std::optional<RuleReload::Loaded> loaded_;  // waits for the end of a transaction
  const std::function<bool()> keep_on_ = [this] { return !signals_.stop_requested(); };
  RuleReload reload_;  // its thread uses what stands before it
};

}  // namespace vong::correlator
