#include "sensor/app/run_files.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "sensor/app/confinement.h"
#include "sensor/app/evidence_ring.h"
#include "sensor/app/failed.h"
#include "sensor/app/file_crew.h"
#include "sensor/app/ledger_keeper.h"
#include "sensor/app/metrics.h"
#include "sensor/app/open_outputs.h"
#include "sensor/app/side_outputs.h"
#include "sensor/applayer/http/range_files.h"
#include "sensor/capture/directory_watch.h"
#include "sensor/capture/filtered_source.h"
#include "sensor/capture/pcap_file.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBatch = 64;               // packets
constexpr uint64_t kBatchesPerPublish = 256;  // counters to the metrics page
constexpr size_t kBatchBytes = 128 * 1024;  // of finished events before they go to the outputs

// Reads the source to its end. False when it could not be read to the end.
bool drain(capture::PacketSource& source, Worker& worker, LineBatch& lines, Output& output,
           app::Signals& signals, app::Progress& progress, WorkerCells& cells, const std::function<bool()>& tick) {
  std::array<RawPacket, kBatch> batch;
  bool whole = true;
  std::string file;
  uint64_t batches = 0;
  while (!signals.stop_requested()) {
    size_t n = 0;
    const auto status = source.next_batch(batch, n);
    if (status == capture::ReadStatus::kEnd) break;
    if (status == capture::ReadStatus::kError) {
      spdlog::error("{}", source.error());
      whole = false;
      continue;
    }
    if (status == capture::ReadStatus::kTimeout) {  // a watched folder has nothing new: let out what there is
      output.write(lines);
      (void)failed(output.flush());
      publish(worker, source.stats(), cells);
      if (!tick()) break;
      continue;
    }
    if (source.file_name() != file) {
      file = source.file_name();
      worker.set_capture_file(file);
    }
    worker.process(std::span<const RawPacket>(batch).first(n));
    if (lines.size_bytes() >= kBatchBytes) output.write(lines);
    progress.update(source.bytes_done());
    if (!tick()) break;
    if (batches++ % kBatchesPerPublish == 0) publish(worker, source.stats(), cells);
  }
  worker.finish();
  publish(worker, source.stats(), cells);
  return whole;
}

// Files that others have moved away. Rules stay those of the start: what is read from captures has one set.
void reopen(Output& output, SideOutputs& side) {
  output.reopen();
  side.stats->reopen();
  spdlog::info("files are opened anew");
}

// One run: its own flows, transactions, thresholds.
int run_once(const Plan& plan, capture::PacketSource& source, Output& output, const std::string& folder, app::Signals& signals,
             app::Progress& progress, WorkerCells& cells, SideOutputs& side, evidence::PacketRing* ring = nullptr, const CaptureRun* run = nullptr) {
  detect::SharedState shared(plan.settings);
  LineBatch lines(output);
  Worker worker(plan, shared, lines);
  side.attach(worker);
  side.start(Timestamp{});
  if (ring != nullptr) {
    worker.set_recorder(ring->add_recorder());
    ring->start();
  }
  auto keeper = LedgerKeeper::open(plan.settings, folder, true);
  if (failed(keeper)) return app::kExitFailed;
  WorkerTotals totals;
  WorkerTotals* const all_totals[] = {&totals};
  if (run != nullptr) worker.set_tenant(run->tenant);
  const auto tick = [&] {   // false: that is enough
    if (run == nullptr && signals.take_reload()) reopen(output, side);
    if (run != nullptr && run->interrupted && run->interrupted()) return false;
    if (*keeper == nullptr || worker.last_packet_time() == Timestamp{}) return true;
    (*keeper)->begin(worker.first_packet_time());
    if (!(*keeper)->due(worker.last_packet_time())) return true;
    totals.publish(worker, source.stats(), lines.made(), false);
    (*keeper)->tick(all_totals, output, worker.last_packet_time(), plan.rules->hash());
    return true;
  };
  const bool whole = drain(source, worker, lines, output, signals, progress, cells, tick);
  if (ring != nullptr) ring->stop();
  side.stop();
  output.write(lines);
  side.stats->publish(0, worker);
  side.stats->write(worker.last_packet_time());
  bool lost = false;
  if (*keeper != nullptr) {
    if (failed(output.flush())) lost = true;
    totals.publish(worker, source.stats(), lines.made(), true);
    if (worker.counters().frames > 0) (*keeper)->begin(worker.first_packet_time());
    (*keeper)->finish(all_totals, output, worker.last_packet_time(), plan.rules->hash());
  }
  (void)failed(shared.save());
  if (failed(output.close(kCloseTimeout))) return app::kExitFailed;
  const auto& c = worker.counters();
  const auto& d = worker.detector().counters();
  spdlog::info("{} packets, {} bytes, {} flows, {} alerts", c.frames, c.bytes,
               worker.flows().counters().total, d.alerts);
  return whole && !lost ? app::kExitDone : app::kExitFailed;
}

// The same by several workers: a cell for each.
int run_crew(const Plan& plan, capture::PacketSource& source, Output& output, const std::string& folder, app::Signals& signals,
             app::Progress& progress, std::span<WorkerCells> cells, SideOutputs& side, evidence::PacketRing* ring) {
  detect::SharedState shared(plan.settings);
  FileCrew crew(plan, shared, output, cells, side.stats.get());
  const auto keeper = LedgerKeeper::open(plan.settings, folder, true);
  if (failed(keeper)) return app::kExitFailed;
  for (const auto& worker : crew.workers()) {
    side.attach(*worker);
    if (ring != nullptr) worker->set_recorder(ring->add_recorder());
  }
  if (ring != nullptr) ring->start();
  side.start(Timestamp{});
  std::vector<WorkerTotals*> at_the_end;   // live as long as the crew
  if (*keeper != nullptr) {
    crew.after_round([&](std::span<WorkerTotals* const> totals, Timestamp first, Timestamp last) {
      at_the_end.assign(totals.begin(), totals.end());
      if (last == Timestamp{}) return;
      (*keeper)->begin(first);
      (*keeper)->tick(totals, output, last, plan.rules->hash());
    });
  }
  crew.start();
  std::array<RawPacket, kBatch> batch;
  bool whole = true;
  while (!signals.stop_requested()) {
    size_t n = 0;
    if (signals.take_reload()) reopen(output, side);
    const auto status = source.next_batch(batch, n);
    if (status == capture::ReadStatus::kEnd) break;
    if (status == capture::ReadStatus::kError) {
      spdlog::error("{}", source.error());
      whole = false;
    } else if (status == capture::ReadStatus::kTimeout) {
      crew.flush(source.stats());
      (void)failed(output.flush());
    } else {
      crew.take(std::span<const RawPacket>(batch).first(n), source.file_name(), source.stats());
      progress.update(source.bytes_done());
    }
  }
  crew.finish(source.stats());
  if (ring != nullptr) ring->stop();
  side.stop();
  side.stats->write(crew.last_packet_time());
  bool lost = false;
  if (*keeper != nullptr) {
    lost = failed(output.flush());
    (*keeper)->finish(at_the_end, output, crew.last_packet_time(), plan.rules->hash());
  }
  (void)failed(shared.save());
  if (failed(output.close(kCloseTimeout))) return app::kExitFailed;
  uint64_t frames = 0, bytes = 0, flows = 0, alerts = 0;
  for (const auto& worker : crew.workers()) {
    frames += worker->counters().frames;
    bytes += worker->counters().bytes;
    flows += worker->flows().counters().total;
    alerts += worker->detector().counters().alerts;
  }
  spdlog::info("{} packets, {} bytes, {} flows, {} alerts", frames, bytes, flows, alerts);
  return whole && !lost ? app::kExitDone : app::kExitFailed;
}

Result<std::unique_ptr<capture::PacketSource>> filtered(Result<std::unique_ptr<capture::PacketSource>> source, const Settings& settings) {
  const std::string filter(settings.text("capture.filter", ""));
  if (!source || filter.empty()) return source;
  return capture::filter_packets(std::move(*source), filter);
}

// What -r means with the flags beside it.
Result<std::unique_ptr<capture::PacketSource>> open_captures(const Options& options, const Settings& settings) {
  const bool deletes = options.delete_files || settings.flag("pcap-file.delete-when-done", false);
  if (options.captures.size() != 1) return capture::open_pcap_files(options.captures);
  if (!options.continuous && !deletes) return capture::open_pcap_path(options.captures[0]);
  capture::WatchOptions watch;
  watch.continuous = options.continuous;
  watch.recursive = options.recursive;
  watch.delete_when_done = deletes;
  watch.poll_interval = std::chrono::milliseconds(settings.integer("pcap-file.poll-interval-ms", watch.poll_interval.count()));
  watch.settle = std::chrono::milliseconds(settings.integer("pcap-file.settle-ms", watch.settle.count()));
  return capture::open_directory_watch(options.captures[0], watch);
}

int run_each(const Options& options, const Plan& plan, app::Signals& signals) {
  int status = app::kExitDone;
  for (const auto& path : options.captures) {
    const auto captures = capture::list_captures(path);
    if (!captures) {
      spdlog::error("{}", captures.error().message);
      return app::kExitUsage;
    }
    app::Progress progress(options.common, captures->size(), "captures");
    size_t done = 0;
    for (const auto& capture : *captures) {
      if (signals.stop_requested()) break;
      auto source = filtered(capture::open_pcap_path(capture), plan.settings);
      if (!source) {
        spdlog::warn("{}", source.error().message);
        continue;
      }
      const auto folder =
          (fs::path(log_folder(options, plan)) / fs::path(capture).filename()).string();
      status = std::max(status, run_capture(options, plan, **source, {.folder = folder}, signals));
      progress.update(++done);
    }
  }
  return status;
}

// All that stands between the opening of outputs and the first packet.
Result<> confine_all(const Options& options, const Plan& plan) {
  if (auto ok = confine_files(options, plan, log_folder(options, plan)); !ok) return ok;
  return confine_calls(plan.settings);
}

}  // namespace

int run_capture(const Options& options, const Plan& plan, capture::PacketSource& source, const CaptureRun& run, app::Signals& signals) {
  Output output;
  if (failed(open_outputs(output, plan, run.folder, false))) return app::kExitFailed;
  auto side = SideOutputs::open(plan, run.folder, output, 1);
  if (failed(side)) return app::kExitFailed;
  app::Progress quiet(options.common, 0, "");
  WorkerCells cells;
  http::shared_range_files()->clear();  // a capture has nothing to do with the one before
  return run_once(plan, source, output, run.folder, signals, quiet, cells, *side, nullptr, &run);
}

int run_files(const Options& options, const Plan& plan, app::Signals& signals) {
  if (failed(become_sensor_user(plan.settings, false))) return app::kExitFailed;
  if (options.each) {
    if (failed(confine_all(options, plan))) return app::kExitFailed;
    return run_each(options, plan, signals);
  }
  const auto source = filtered(open_captures(options, plan.settings), plan.settings);
  if (failed(source)) return app::kExitFailed;
  Output output;
  const auto opened = open_outputs(output, plan, log_folder(options, plan));
  if (failed(opened)) return app::kExitFailed;
  const size_t workers = static_cast<size_t>(std::max(options.workers, 1));
  auto side = SideOutputs::open(plan, log_folder(options, plan), output, workers);
  if (failed(side)) return app::kExitFailed;
  const auto ring = open_evidence_ring(plan.settings, true);
  if (failed(ring)) return app::kExitFailed;
  if (failed(confine_files(options, plan, log_folder(options, plan)))) return app::kExitFailed;
  std::vector<WorkerCells> cells(workers);
  telemetry::Registry registry(metrics_table());
  add_rule_metrics(registry, plan.rule_counts);
  if (*opened != nullptr) add_kafka_metrics(registry, **opened);
  for (const WorkerCells& of_one : cells) add_worker_metrics(registry, of_one);
  if (*ring != nullptr) add_evidence_metrics(registry, **ring);
  add_output_metrics(registry, *side, output);
  const auto page = open_metrics_page(plan.settings, registry);
  if (failed(page)) return app::kExitFailed;
  if (failed(confine_calls(plan.settings))) return app::kExitFailed;
  if (plan.started) plan.started();
  app::Progress progress(options.common, (*source)->bytes_total(), "bytes");
  const std::string folder = log_folder(options, plan);
  if (cells.size() > 1) return run_crew(plan, **source, output, folder, signals, progress, cells, *side, ring->get());
  return run_once(plan, **source, output, folder, signals, progress, cells.front(), *side, ring->get());
}

}  // namespace vong::sensor
