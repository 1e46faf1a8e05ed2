// What a live sensor does beside its packets, once a second, on the control thread: loss ledger,
// status, life signal, reload, reports of overload.
//
//   LiveOps ops(options, plan, rules, folder, output);
//   ops.open_canary()                 // before rights are given up
//   ops.open(kafka)                   // after the outputs
//   ops.watch({...}) for every worker; ops.add_metrics(registry)
//   while (running) { if (reload asked for) ops.reload(); ops.tick(now); }
//   ops.finish(now)                   // workers have ended, outputs are still open
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sensor/app/canary.h"
#include "sensor/app/ledger_keeper.h"
#include "sensor/app/own_records.h"
#include "sensor/app/reload.h"
#include "sensor/app/status.h"
#include "sensor/capture/frame_sender.h"

namespace vong::sensor {

class KafkaOutput;

// Frames that a worker takes besides those of its source.
class FrameBox {
 public:
  void put(std::string frame) {
    const std::lock_guard lock(mutex_);
    frames_.push_back(std::move(frame));
    any_.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool any() const { return any_.load(std::memory_order_acquire); }
  [[nodiscard]] std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    any_.store(false, std::memory_order_relaxed);
    return std::exchange(frames_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> frames_;
  std::atomic<bool> any_{false};
};

// A worker as seen from outside; all has to live as long as LiveOps.
struct WorkerView {
  std::string interface;
  WorkerTotals* totals = nullptr;
  const std::atomic<int64_t>* cpu_ns = nullptr;  // its thread's time so far
  FrameBox* box = nullptr;
};

class LiveOps {
 public:
  // All have to outlive it.
  LiveOps(const Options& options, const Plan& plan, RulesInForce& rules, std::string folder, Output& output);

  // While the sensor still has its rights: the canary's key and interface.
  [[nodiscard]] Result<> open_canary();
  // When the outputs are open; `kafka` null: none.
  [[nodiscard]] Result<> open(const KafkaOutput* kafka);
  void watch(WorkerView worker) {
    cpu_before_.push_back(0);
    totals_.push_back(worker.totals);
    workers_.push_back(std::move(worker));
  }
  void add_metrics(telemetry::Registry& registry) const;

  void reload() { reloader_->start(); }
  [[nodiscard]] Reloader& reloader() { return *reloader_; }
  void tick(Timestamp now);
  void finish(Timestamp now);

  [[nodiscard]] OwnRecords& own() { return *own_; }
  [[nodiscard]] Canary* canary() { return canary_ ? &*canary_ : nullptr; }

 private:
  void tick_canary(Timestamp now);
  void tick_status(Timestamp now);
  void pass_ruleset_on();

  const Options& options_;
  const Plan& plan_;
  RulesInForce& rules_;
  const std::string folder_;
  Output& output_;
  const KafkaOutput* kafka_ = nullptr;
  std::vector<WorkerView> workers_;
  std::vector<WorkerTotals*> totals_;
  std::vector<int64_t> cpu_before_;
  std::unique_ptr<OwnRecords> own_;
  std::unique_ptr<LedgerKeeper> keeper_;
  std::unique_ptr<Reloader> reloader_;
  std::optional<StatusBoard> board_;
  std::optional<Canary> canary_;
  std::optional<capture::FrameSender> sender_;
  Timestamp start_{}, status_before_{};
  uint64_t rules_version_;  // that the outputs know
};

// The record of a step of overload, or of an elephant flow; nothing when there is nothing to tell.
// Any thread.
void report_overload(OwnRecords& own, const LoadShedder& shedder, const LoadShedder::Change& change,
                     const std::string& interface, double pressure, Timestamp now);

}  // namespace vong::sensor
