#include "sensor/app/run_files.h"

#include <spdlog/spdlog.h>

#include <array>
#include <filesystem>

#include "sensor/app/metrics.h"
#include "sensor/app/open_outputs.h"
#include "sensor/app/stats.h"
#include "sensor/capture/pcap_file.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBatch = 64;               // packets
constexpr uint64_t kBatchesPerPublish = 256;  // counters to the metrics page
constexpr size_t kBatchBytes = 128 * 1024;  // of finished events before they go to the outputs

// Reads the source to its end. False when it could not be read to the end.
bool drain(capture::PacketSource& source, Worker& worker, LineBatch& lines, Output& output,
           app::Signals& signals, app::Progress& progress, WorkerCells& cells) {
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
    if (source.file_name() != file) {
      file = source.file_name();
      worker.set_capture_file(file);
    }
    for (size_t i = 0; i < n; ++i) worker.process(batch[i]);
    if (lines.size_bytes() >= kBatchBytes) output.write(lines);
    progress.update(source.bytes_done());
    if (batches++ % kBatchesPerPublish == 0) publish(worker, source.stats(), cells);
  }
  worker.finish();
  publish(worker, source.stats(), cells);
  return whole;
}

// One run: its own flows, transactions, thresholds.
int run_once(const Plan& plan, capture::PacketSource& source, Output& output, const std::string& folder, app::Signals& signals,
             app::Progress& progress, WorkerCells& cells) {
  detect::SharedState shared(plan.settings);
  LineBatch lines(output);
  Worker worker(plan, shared, lines);
  const auto store = emit::FileStore::open(plan.settings, folder);
  if (!store) {
    spdlog::error("{}", store.error().message);
    return app::kExitFailed;
  }
  worker.emitter().set_file_store(store->get());
  const bool whole = drain(source, worker, lines, output, signals, progress, cells);
  write_stats(worker, plan, worker.last_packet_time());
  output.write(lines);
  if (auto saved = shared.save(); !saved) spdlog::error("{}", saved.error().message);
  if (auto flushed = output.close(kCloseTimeout); !flushed) {
    spdlog::error("{}", flushed.error().message);
    return app::kExitFailed;
  }
  const auto& c = worker.counters();
  const auto& d = worker.detector().counters();
  spdlog::info("{} packets, {} bytes, {} flows, {} alerts", c.frames, c.bytes,
               worker.flows().counters().total, d.alerts);
  return whole ? app::kExitDone : app::kExitFailed;
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
      auto source = capture::open_pcap_path(capture);
      if (!source) {
        spdlog::warn("{}", source.error().message);
        continue;
      }
      const auto folder =
          (fs::path(log_folder(options, plan)) / fs::path(capture).filename()).string();
      Output output;
      if (auto opened = open_outputs(output, plan, folder, false); !opened) {
        spdlog::error("{}", opened.error().message);
        return app::kExitFailed;
      }
      app::Progress quiet(options.common, 0, "");
      WorkerCells cells;
      status = std::max(status, run_once(plan, **source, output, folder, signals, quiet, cells));
      progress.update(++done);
    }
  }
  return status;
}

}  // namespace

int run_files(const Options& options, const Plan& plan, app::Signals& signals) {
  if (options.each) return run_each(options, plan, signals);
  std::unique_ptr<capture::PacketSource> source;
  if (options.captures.size() == 1) {
    auto opened = capture::open_pcap_path(options.captures[0]);
    if (!opened) {
      spdlog::error("{}", opened.error().message);
      return app::kExitFailed;
    }
    source = std::move(*opened);
  } else {
    source = capture::open_pcap_files(options.captures);
  }
  Output output;
  const auto opened = open_outputs(output, plan, log_folder(options, plan));
  if (!opened) {
    spdlog::error("{}", opened.error().message);
    return app::kExitFailed;
  }
  WorkerCells cells;
  telemetry::Registry registry(metrics_table());
  add_rule_metrics(registry, plan.rule_counts);
  if (*opened != nullptr) add_kafka_metrics(registry, **opened);
  add_worker_metrics(registry, cells);
  const auto page = open_metrics_page(plan.settings, registry);
  if (!page) {
    spdlog::error("{}", page.error().message);
    return app::kExitFailed;
  }
  app::Progress progress(options.common, source->bytes_total(), "bytes");
  return run_once(plan, *source, output, log_folder(options, plan), signals, progress, cells);
}

}  // namespace vong::sensor
