// The loss ledger of a run: gathers the totals of workers and outputs, and every minute writes a
// record of them to ledger.json and to Kafka's way. Live the minute is the wall clock's, offline
// packet time's.
//
//   WorkerTotals cell;               // one a worker, which publishes into it between two packets
//   auto keeper = LedgerKeeper::open(settings, folder, offline);   // null: ledger.enabled says no
//   keeper->tick(cells, output, now, ruleset);
//   keeper->finish(cells, output, now, ruleset);
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/settings.h"
#include "sensor/app/ledger_file.h"
#include "sensor/app/outputs.h"
#include "sensor/app/worker.h"
#include "telemetry/ledger/ledger.h"
#include "telemetry/registry.h"

namespace vong::sensor {

// One worker's numbers, taken whole: the books balance only when all are of one moment.
struct WorkerSnapshot {
  ledger::Totals totals;
  capture::CaptureStats capture;
  std::string overload = "none";   // steps that it has taken
};

class WorkerTotals {
 public:
  // On the worker's thread, between two packets. `made`: events that it has written so far; those it shed come besides.
  void publish(const Worker& worker, const capture::CaptureStats& capture, uint64_t made, bool over);
  [[nodiscard]] WorkerSnapshot snapshot() const;  // any thread

 private:
  mutable std::mutex mutex_;
  WorkerSnapshot snapshot_;
};

class LedgerKeeper {
 public:
  // By ledger.*; null when it is off (offline that is the default). `folder` "-": no file, Kafka
  // alone.
  [[nodiscard]] static Result<std::unique_ptr<LedgerKeeper>> open(const Settings& settings,
                                                                  const std::string& folder,
                                                                  bool offline);

  // The run's beginning; without it the first tick's time. One thread, as tick and finish.
  void begin(Timestamp now);
  // The next tick writes. A clock that was set back does not keep the ledger waiting.
  [[nodiscard]] bool due(Timestamp now) const {
    return !ledger_ || now < ledger_->last() || now - ledger_->last() >= interval_;
  }
  // Writes a record when its time has come. A run offline gives packet time.
  void tick(std::span<WorkerTotals* const> workers, Output& output, Timestamp now,
            std::string_view ruleset);
  // The run's last record: after the workers have ended, before the outputs are closed.
  void finish(std::span<WorkerTotals* const> workers, Output& output, Timestamp now,
              std::string_view ruleset);

  // Since the start, as of the last record. Any thread.
  [[nodiscard]] ledger::Totals totals() const;

 private:
  LedgerKeeper() = default;
  void write(std::span<WorkerTotals* const> workers, Output& output, Timestamp now,
             std::string_view ruleset, bool final);

  std::string sensor_;
  Duration interval_{};
  ledger::Chain chain_;
  std::optional<ledger::Ledger> ledger_;  // from the first tick on
  std::optional<LedgerFile> file_;
  LineBatch batch_;
  mutable std::mutex mutex_;
  ledger::Totals totals_;
};

// vong_sensor_ledger_lost_total by reason. The keeper has to outlive the registry.
void add_ledger_metrics(telemetry::Registry& registry, const LedgerKeeper& keeper);

// What workers and outputs count, put together.
[[nodiscard]] ledger::Totals gather(std::span<WorkerTotals* const> workers, const Output& output);

}  // namespace vong::sensor
