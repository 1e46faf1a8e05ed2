// One process that reads all events itself: what online.h says, as one loop of reading, working and
// writing. Records are looked at on a thread of their own ahead of the loop (RecordReading), and
// transactions are written on another behind it (Committer); everything else is the loop's.
//
//   online.cc          the loop, connections, transactions
//   online_records.cc  records in, facts to where they wait for their turn, and on
//   online_replay.cc   state anew: after a start, a rebalance, for late events
//   online_rules.cc    other rules while it works
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlator/app/broker_link.h"
#include "correlator/app/committer.h"
#include "correlator/app/in_force_log.h"
#include "correlator/app/leadership.h"
#include "correlator/app/live.h"
#include "correlator/app/metrics.h"
#include "correlator/app/online.h"
#include "correlator/app/outbox.h"
#include "correlator/app/partitions.h"
#include "correlator/app/record_reading.h"
#include "correlator/app/told.h"
#include "correlator/coverage/board.h"
#include "telemetry/server.h"

namespace vong::correlator {

class OnlineRun : private kafka::Consumer::Listener {
 public:
  OnlineRun(const Options& options, const enrich::Registry& registry, sigma::RuleSet rules,
            app::Signals& signals, const ReloadRules& reload);
  int run();

 private:
  static constexpr std::chrono::seconds kPatience{30};

  // --- the loop, connections (online.cc) ---
  bool round();
  bool connect();
  void disconnect();
  bool leads();
  bool failed(const kafka::KafkaError& e);
  void place(std::span<kafka::TopicOffset> assigned) override;
  void on_assigned(std::span<const kafka::TopicPartition>) override;
  void on_revoked(std::span<const kafka::TopicPartition>, bool lost) override;
  bool step();

  // --- transactions (online.cc) ---
  [[nodiscard]] bool time_to_commit() const;
  // Begins the transaction of all that was done; waits for the one before.
  bool commit();
  // Takes note of how the transaction under way has ended, if it has; `wait`: it will have. One
  // that was aborted sets reassigned_: the state is ahead of what is committed.
  bool note_commit(bool wait);
  void show_settled();
  void incident(const events::Incident& incident);
  void dead_letter(const kafka::TopicPartition& from, int64_t offset, std::string_view value,
                   std::string_view reason);

  // --- records and facts (online_records.cc) ---
  void give_all();
  [[nodiscard]] bool is_wanted(const kafka::Record& r, Partition& p);
  void take_read(size_t ahead_max);
  void take(RecordReading::Batch& batch);
  void take_fact(const ingest::OrderKey& key, std::string_view fact);
  void take_status(const kafka::Record& r);
  void note_ends();
  void unsettle();
  void release();
  void release_to(int64_t mark);
  void tell_figures(bool told_before);
  void show_coverage();

  // --- state anew (online_replay.cc) ---
  void fresh();
  bool restore();
  [[nodiscard]] kafka::KafkaResult<size_t> all_partitions();
  [[nodiscard]] bool gathered() const;
  bool correct();
  bool replay();
  bool finish_replay();
  void tell_differences();

  // --- rules (online_rules.cc) ---
  void compile(RuleReload::Loaded& loaded) const;
  void take_rules_beside_work();
  bool swap_rules();
  void begin_with_rules_in_force();
  void apply_rules_in_force();
  void change_rules_in_force(int64_t released_ns);

  const Options& options_;
  const enrich::Registry& registry_;
  sigma::RuleSet rules_;
  app::Signals& signals_;
  routing::Router router_;
  std::unique_ptr<Live> live_;
  EngineCounters totals_, replayed_;  // replayed_: what was counted before
  OnlineCounters online_;
  telemetry::Registry metrics_;
  std::optional<telemetry::Server> server_;
  std::optional<Leadership> leadership_;  // none: alone
  bool leading_ = false;
  std::optional<BrokerLink> link_;
  std::vector<kafka::Record> records_;
  Partitions partitions_;
  RecordReading reading_;  // its thread looks at partitions_
  Outbox outbox_;
  Committer committer_;
  coverage::Board board_;
  int64_t committed_watermark_ns_ = Watermark::kNever;
  ToldIncidents told_;
  ToldFigures told_figures_;
  bool reassigned_ = true, replaying_ = true, refused_ = false;
  bool correcting_ = false;
  bool consumed_ = false;          // since the last transaction began
  bool coverage_changed_ = false;  // since its gauges were set
  bool settled_ = false;           // all that was read is in the incidents, and no sensor sends
  uint64_t late_facts_ = 0;        // since the last correction
  int64_t late_since_ns_ = 0, correction_began_ns_ = 0, next_correction_ns_ = 0;
  int64_t last_commit_ns_ = 0;
  int64_t stored_since_ns_ = INT64_MIN;  // event time; what came before is not stored everywhere
  InForceLog in_force_;
  bool swapping_ = false;
  bool rules_gone_ = false;                   // what is being corrected is what stood on them
  std::optional<RuleReload::Loaded> loaded_;  // waits for its transaction
  RuleReload reload_;                         // its thread uses what stands before it
};

}  // namespace vong::correlator
