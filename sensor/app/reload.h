// The rules in force, and how others take their place: compiled beside the traffic at low priority,
// swapped at a packet boundary. A rule set that cannot be used leaves the old one in force and says
// why: in the log, in a metric, in a record.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "base/counter.h"
#include "sensor/app/options.h"
#include "sensor/app/own_records.h"
#include "sensor/app/worker.h"
#include "telemetry/registry.h"

namespace vong::sensor {

// Workers look at version() once a batch and take the new set over at a packet boundary. Any
// thread.
class RulesInForce {
 public:
  struct State {
    std::shared_ptr<const detect::RuleSet> rules;
    detect::RuleCounts counts;
    Timestamp since{};
    std::shared_ptr<const std::vector<rules::Diagnostic>> problems;  // of the load; may be null
  };
  RulesInForce(std::shared_ptr<const detect::RuleSet> rules, detect::RuleCounts counts,
               Timestamp now, std::vector<rules::Diagnostic> problems = {})
      : state_{std::move(rules), counts, now,
               std::make_shared<const std::vector<rules::Diagnostic>>(std::move(problems))} {}

  [[nodiscard]] uint64_t version() const { return version_.load(std::memory_order_acquire); }
  [[nodiscard]] State get() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  void replace(State next) {
    const std::lock_guard lock(mutex_);
    state_ = std::move(next);
    version_.fetch_add(1, std::memory_order_release);
  }

 private:
  mutable std::mutex mutex_;
  State state_;
  std::atomic<uint64_t> version_{0};
};

struct ReloadCounters {
  Counter done, refused;
};

// Why a set must not replace the one in force; empty: it may.
[[nodiscard]] std::string reload_refusal(const detect::RuleCounts& now,
                                         const detect::RuleCounts& next, bool strict);

class Reloader {
 public:
  // All have to outlive it. `own` may be null.
  Reloader(const Options& options, const Plan& plan, RulesInForce& rules, OwnRecords* own);
  ~Reloader() { wait(); }

  // Begins a reload on a thread of its own and returns at once. One runs at a time: what is asked
  // for meanwhile begins with the tick() after it has ended, once however often it was asked for.
  void start();
  // Once a second. Begins what waits, and, with rules.watch-interval, a reload when rule files are
  // others than those in force: once they have stayed the same from one look to the next, so that
  // nobody reads half a pack.
  void tick(Timestamp now);
  // Until the one that runs has ended.
  void wait() {
    if (thread_.joinable()) thread_.join();
  }
  // The same on the caller's thread. True when new rules are in force.
  bool run();

  [[nodiscard]] const ReloadCounters& counters() const { return counters_; }
  [[nodiscard]] bool running() const { return running_.load(std::memory_order_acquire); }
  // What rules are loaded with: the plan's settings until others are set (tenants that come and go). While nothing runs.
  [[nodiscard]] const Settings& settings() const { return settings_; }
  void set_settings(Settings settings) { settings_ = std::move(settings); }

 private:
  const Options& options_;
  Settings settings_;
  RulesInForce& rules_;
  OwnRecords* own_;
  const Duration watch_interval_;  // 0: files are not looked at
  ReloadCounters counters_;
  [[nodiscard]] std::string print_of_files() const;

  bool wanted_ = false;
  Timestamp looked_{};
  std::string print_in_force_, print_before_;  // of the files' names, sizes and times
  std::atomic<bool> running_{false};
  std::thread thread_;
};

// vong_sensor_reloads_total, vong_sensor_rules_age_seconds. What is given has to outlive the
// registry.
void add_reload_metrics(telemetry::Registry& registry, const Reloader& reloader,
                        const RulesInForce& rules);

// Most memory that this process ever had, and what it has now.
struct Memory {
  uint64_t peak_bytes = 0, now_bytes = 0;
};
[[nodiscard]] Memory process_memory();

}  // namespace vong::sensor
