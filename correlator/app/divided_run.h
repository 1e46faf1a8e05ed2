// One process of those that divide the work: what divided.h says, as one loop of reading, working
// and writing. Records of events are looked at on a thread of their own ahead of the loop
// (RecordReading), and transactions are written on another behind it (Committer); everything else
// is the loop's.
//
//   divided.cc          the loop, connections, transactions
//   divided_restore.cc  partitions that are taken over, late facts, other rules
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

  // --- taking over, late facts, rules (divided_restore.cc) ---
  bool restore();
  void take_over_facts(const kafka::TopicPartition& name, const kafka::TopicOffset& committed);
  [[nodiscard]] kafka::KafkaResult<> take_over_events(
      const std::vector<kafka::TopicOffset>& committed);
  bool again(const kafka::KafkaError& e);
  [[nodiscard]] bool gathered() const;
  bool correct();
  bool swap_rules();

  const Options& options_;
  const enrich::Registry& registry_;
  std::unique_ptr<sigma::RuleSet> rules_;
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
