#include "sensor/app/ledger_keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>

#include "app_common/program.h"

namespace vong::sensor {

using ledger::Hop;

void WorkerTotals::publish(const Worker& worker, const capture::CaptureStats& capture,
                           uint64_t made, bool over) {
  ledger::Totals totals = worker.packet_totals(capture, over);
  const uint64_t shed = worker.emitter().records_shed();
  totals[Hop::kEmit].in = made + shed;
  totals[Hop::kEmit][ledger::Reason::kShed] = shed;
  std::string overload = worker.shedder().control().names();
  const std::lock_guard lock(mutex_);
  snapshot_ = {totals, capture, std::move(overload)};
}

WorkerSnapshot WorkerTotals::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

ledger::Totals gather(std::span<WorkerTotals* const> workers, const Output& output) {
  ledger::Totals totals;
  for (const WorkerTotals* worker : workers) totals += worker->snapshot().totals;
  output.add_to(totals);
  return totals;
}

Result<std::unique_ptr<LedgerKeeper>> LedgerKeeper::open(const Settings& settings,
                                                         const std::string& folder, bool offline) {
  if (!settings.flag("ledger.enabled", !offline)) return nullptr;
  auto keeper = std::unique_ptr<LedgerKeeper>(new LedgerKeeper());
  keeper->sensor_ = settings.text("sensor-name", "");
  keeper->interval_ =
      std::chrono::seconds(std::clamp<int64_t>(settings.integer("ledger.interval", 60), 1, 86'400));
  if (folder == "-") return keeper;
  const std::filesystem::path name(std::string(settings.text("ledger.filename", "ledger.json")));
  LedgerFile::Options options;
  options.path = (name.is_absolute() ? name : std::filesystem::path(folder) / name).string();
  options.bytes_max = settings.size_bytes("ledger.bytes-max", options.bytes_max);
  options.files_max = static_cast<uint32_t>(
      std::clamp<int64_t>(settings.integer("ledger.files-max", options.files_max), 1, 100'000));
  std::string note;
  auto file = LedgerFile::open(options, keeper->sensor_, keeper->chain_, note);
  if (!file) return std::unexpected(file.error());
  if (!note.empty()) spdlog::warn("{}", note);
  keeper->file_.emplace(std::move(*file));
  return keeper;
}

void LedgerKeeper::begin(Timestamp now) {
  if (!ledger_)
    ledger_.emplace(ledger::Ledger::Identity{sensor_, std::string(app::version()), now}, chain_);
}

void LedgerKeeper::tick(std::span<WorkerTotals* const> workers, Output& output, Timestamp now,
                        std::string_view ruleset) {
  begin(now);
  if (due(now)) write(workers, output, now, ruleset, false);
}

void LedgerKeeper::finish(std::span<WorkerTotals* const> workers, Output& output, Timestamp now,
                          std::string_view ruleset) {
  begin(now);
  write(workers, output, std::max(now, ledger_->last()), ruleset, true);
}

void LedgerKeeper::write(std::span<WorkerTotals* const> workers, Output& output, Timestamp now,
                         std::string_view ruleset, bool final) {
  const ledger::Totals totals = gather(workers, output);
  const uint64_t number = ledger_->chain().next_number;
  const std::string line = ledger_->record(totals, now, ruleset, final);
  if (file_) {
    if (auto written = file_->append(line, number); !written)
      spdlog::error("loss ledger: {}", written.error().message);
  }
  batch_.line(line, {"ledger", 1, 0});
  output.write_own(batch_);
  const std::lock_guard lock(mutex_);
  totals_ = totals;
}

ledger::Totals LedgerKeeper::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void add_ledger_metrics(telemetry::Registry& registry, const LedgerKeeper& keeper) {
  for (size_t r = 0; r < ledger::kReasons; ++r) {
    const auto reason = static_cast<ledger::Reason>(r);
    if (ledger::kind_of(reason) == ledger::Kind::kAdded) continue;
    registry.add("vong_sensor_ledger_lost_total", {{"reason", std::string(name_of(reason))}},
                 [&keeper, r] {
                   return static_cast<double>(keeper.totals().sum(static_cast<ledger::Reason>(r)));
                 });
  }
}

}  // namespace vong::sensor
