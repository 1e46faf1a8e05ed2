// The state of one partition of vong.facts: the groups that fall to it. The last partition is the
// leader's: incidents, verdicts, campaigns and coverage of all.
//
// State is a function of the partition's blocks. Who takes a partition over replays them; so does
// a correction, when facts came after their time had been released. Pure: no Kafka, no clock.
// Single thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlator/app/engine.h"
#include "correlator/app/fact_block.h"
#include "correlator/app/rules_in_force.h"
#include "correlator/app/told.h"
#include "correlator/coverage/board.h"
#include "correlator/ingest/order.h"

namespace vong::correlator {

class KeyedPartition {
 public:
  struct Setup {
    const enrich::Registry* registry;
    const routing::Router* router;
    const sigma::RuleSet* rules;
    EngineSettings engine;
    Share share;  // this partition's
    std::string wanted_rules;
    EngineCounters* counters;
    int64_t coverage_interval_ns = coverage::kReportInterval;
    // Of the blocks: what began longer ago than this is not corrected.
    int64_t retention_ns = INT64_MAX;
  };
  struct Sinks {
    std::function<void(const events::Incident&)> incident;  // what readers have to be told
    std::function<void(uint32_t epoch, const Raised&, const Engine&)> raised;
    coverage::Board::Sink coverage;
    // Which rules this partition has (RulesInForce): goes into its own blocks. `begins`: from there
    // on, else they stood before. Empty: nobody keeps it.
    std::function<void(bool begins, std::string_view json)> rules;
  };

  KeyedPartition(Setup setup, Sinks sinks);

  // --- as blocks come ---
  // False: not a block of this build.
  [[nodiscard]] bool take(std::string_view block);
  // Facts that came too late, since the last rebuild.
  [[nodiscard]] uint64_t late() const { return late_; }
  // Late facts, or rules that are gone and part of what others made: what follows waits until all
  // is corrected.
  [[nodiscard]] bool has_to_correct() const { return late_ > 0 || stale_; }
  // Processes what no source can still precede.
  void release();
  // Tells what waits for its turn, when no source sends at present.
  void settle() { engine_->tell_untold(); }

  // Other rules, which outlive it or the next call: those that stay keep their state. What is new
  // begins where the blocks say so. May leave something to correct.
  Engine::Swapped swap(const sigma::RuleSet& rules);
  [[nodiscard]] const sigma::RuleSet& rules() const { return *setup_.rules; }
  [[nodiscard]] const RulesInForce& in_force() const { return in_force_; }

  // --- all over again: begin, every block from the first one on, end ---
  // `reached_ns`, `epoch`: of the mark() that was committed with the blocks' end.
  void begin_restore(int64_t reached_ns, uint32_t epoch);
  // The same with what came late in its place; what that changes is told.
  void begin_correction();
  [[nodiscard]] bool replay(std::string_view block) { return take(block); }
  // Of a restore, after the last of these: a block that is there but was not taken yet. Its rules
  // count already, because what they have changed was told in the transaction that wrote it.
  void look_ahead(std::string_view block);
  [[nodiscard]] Result<> end_replay();

  // How far this partition has come, as a source of the leader's.
  [[nodiscard]] SourceMark mark() const;
  [[nodiscard]] const Engine& engine() const { return *engine_; }
  [[nodiscard]] size_t waiting() const { return reorder_->size(); }
  [[nodiscard]] bool idle() const;  // no source sends
  [[nodiscard]] bool leads() const { return setup_.share.leads(); }
  [[nodiscard]] coverage::Summary coverage() const { return board_->summary(); }
  static std::string source_name(uint32_t index) { return kSharePrefix + std::to_string(index); }

 private:
  static constexpr const char* kSharePrefix = "facts/";
  struct Source : SourceMark {
    bool is_share = false;  // a partition of facts
  };
  void fresh();
  void add(std::string_view source, uint32_t epoch, const ingest::OrderKey& key, char kind,
           std::string_view bytes);
  void process(std::span<const std::string_view> stored);
  void process_raised(std::string_view bytes, uint32_t log_epoch);
  void take_rules(bool begins, std::string_view json);
  void apply_rules();
  void tell_figures(bool told_before);
  [[nodiscard]] bool rewrite(std::string_view stored, std::string& out);
  void release_to(int64_t mark_ns);
  void incident(const events::Incident& incident);
  void take_status(std::string_view json);
  void take_mark(std::string_view source, const SourceMark& mark);
  void note_epoch(SourceMark& source, uint32_t epoch);
  void note_verdict(std::string_view fact);
  [[nodiscard]] int64_t reached_ns() const;
  uint32_t source_id(std::string_view name);

  Setup setup_;
  Sinks sinks_;
  EngineCounters replayed_;  // what was counted before
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<coverage::Board> board_;
  std::unique_ptr<ingest::ReorderBuffer> reorder_;
  std::unique_ptr<ingest::FactSorter> sorter_;  // during a replay
  std::vector<Source> sources_;
  std::map<std::string, uint32_t, std::less<>> source_ids_;
  ToldIncidents told_;
  ToldFigures told_figures_;
  FactBlockVisitor visitor_;
  Raised raised_;
  int64_t released_ns_ = SourceMark::kNever;
  uint32_t epoch_ = 0;
  uint64_t late_ = 0;
  // What is in force here, what the blocks said last, and the epoch in which they are.
  RulesInForce in_force_, told_rules_;
  uint32_t log_epoch_ = 0, first_epoch_ = 0;
  bool rules_told_ = false, looking_ahead_ = false;
  bool replaying_ = false, correcting_ = false, swapping_ = false;
  bool stale_ = false;                      // with rules that are gone went what others stood on
  std::optional<Timestamp> rules_gone_at_;  // of the correction at work
  std::string problem_, buffer_, stored_;
};

}  // namespace vong::correlator
