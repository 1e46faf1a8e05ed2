#include "sensor/app/run_live.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <thread>

#include "sensor/app/confinement.h"
#include "sensor/app/evidence_ring.h"
#include "sensor/app/live_sources.h"
#include "sensor/app/metrics.h"
#include "sensor/app/open_outputs.h"
#include "sensor/app/plan.h"
#include "sensor/app/stats.h"

namespace vong::sensor {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kBatchBytes = 64 * 1024;
constexpr auto kFlushInterval = std::chrono::milliseconds(200);   // events wait at most this long in a worker
constexpr auto kPublishInterval = std::chrono::milliseconds(500);  // counters to the metrics page

Timestamp wall_clock() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// The rules in force. Workers look at `version` once a batch and take the new set over at a packet boundary.
struct RulesInForce {
  std::mutex mutex;
  std::shared_ptr<const detect::RuleSet> rules;
  std::atomic<uint64_t> version{0};

  void replace(std::shared_ptr<const detect::RuleSet> next) {
    const std::lock_guard lock(mutex);
    rules = std::move(next);
    version.fetch_add(1, std::memory_order_release);
  }
  std::shared_ptr<const detect::RuleSet> get() {
    const std::lock_guard lock(mutex);
    return rules;
  }
};

class WorkerThread {
 public:
  WorkerThread(const Plan& plan, detect::SharedState& shared, Output& output, RulesInForce& rules, std::unique_ptr<capture::PacketSource> source)
      : plan_(plan), output_(output), rules_(rules), source_(std::move(source)), lines_(output), worker_(plan, shared, lines_) {}

  void set_recorder(evidence::Recorder* recorder) { worker_.set_recorder(recorder); }
  void set_file_store(emit::FileStore* store) { worker_.emitter().set_file_store(store); }
  void start() { thread_ = std::thread([this] { run(); }); }
  void stop() {
    stop_.store(true, std::memory_order_relaxed);
    source_->stop();
  }
  void join() { thread_.join(); }
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }
  [[nodiscard]] capture::CaptureStats capture_stats() const { return source_->stats(); }
  [[nodiscard]] const Worker& worker() const { return worker_; }
  [[nodiscard]] const WorkerCells& cells() const { return cells_; }

 private:
  void take_rules() {
    const uint64_t version = rules_.version.load(std::memory_order_acquire);
    if (version == version_) [[likely]]
      return;
    version_ = version;
    worker_.set_rules(rules_.get());
  }

  void publish_if_due(Timestamp now) {
    if (now - last_publish_ < kPublishInterval && now >= last_publish_) return;
    last_publish_ = now;
    publish(worker_, source_->stats(), cells_);
  }

  void flush_if_due(Timestamp now) {
    if (lines_.size_bytes() < kBatchBytes && now - last_flush_ < kFlushInterval) return;
    last_flush_ = now;
    output_.write(lines_);
  }

  void run() {
    std::array<RawPacket, kBatch> batch;
    while (!stop_.load(std::memory_order_relaxed)) {
      take_rules();
      size_t n = 0;
      const auto status = source_->next_batch(batch, n);
      if (status == capture::ReadStatus::kEnd) break;
      if (status == capture::ReadStatus::kError) {
        spdlog::error("{}", source_->error());
        failed_.store(true, std::memory_order_relaxed);
        continue;
      }
      worker_.process(std::span<const RawPacket>(batch).first(n));
      const Timestamp now = wall_clock();
      if (n == 0) worker_.tick(now);
      flush_if_due(now);
      publish_if_due(now);
    }
    worker_.finish();
    write_stats(worker_, plan_, worker_.last_packet_time());
    output_.write(lines_);
    publish(worker_, source_->stats(), cells_);
  }

  const Plan& plan_;
  Output& output_;
  RulesInForce& rules_;
  std::unique_ptr<capture::PacketSource> source_;
  LineBatch lines_;
  Worker worker_;
  WorkerCells cells_;
  Timestamp last_flush_{}, last_publish_{};
  uint64_t version_ = 0;
  std::atomic<bool> stop_{false}, failed_{false};
  std::thread thread_;
};

// Compiles beside the traffic at low priority; a rule set that cannot be used leaves the old one in force.
void reload(const Options& options, const Plan& plan, RulesInForce& rules) {
  ::setpriority(PRIO_PROCESS, 0, 10);   // of this thread only, on Linux
  app::Problems problems;
  const auto load = rule_options(options, plan.settings, problems);
  detect::LoadReport report;
  auto next = load_rules(load, plan.settings, report);
  if (next == nullptr || (options.init_errors_fatal && report.counts.failed > 0)) {
    spdlog::error("reload failed, the rules in force stay: {}", rules.get()->hash());
    return;
  }
  spdlog::info("reload: rules {} in force", next->hash());
  rules.replace(std::move(next));
}

int worker_count(const Options& options, const Plan& plan) {
  if (options.workers > 0) return options.workers;
  const auto configured = plan.settings.integer("workers", 0);
  if (configured > 0) return static_cast<int>(configured);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

int run_live(const Options& options, Plan& plan, app::Signals& signals) {
  plan.interfaces = options.interfaces;
  std::random_device entropy;
  plan.flow_seed = static_cast<uint64_t>(entropy()) << 32 | entropy();
  // The order is that of sensor/app/confinement.h: rights end as soon as what needs them is open.
  const std::string folder = log_folder(options, plan);
  Output output;
  detect::SharedState shared(plan.settings);
  RulesInForce rules;
  rules.rules = plan.rules;
  std::vector<std::unique_ptr<WorkerThread>> workers;
  const int per_interface = worker_count(options, plan);
  for (uint16_t i = 0; i < options.interfaces.size(); ++i) {
    for (int w = 0; w < per_interface; ++w) {
      auto source = open_live_source(options.interfaces[i], i, w, per_interface, plan.settings);
      if (!source) {
        spdlog::error("{}", source.error().message);
        return app::kExitFailed;
      }
      workers.push_back(std::make_unique<WorkerThread>(plan, shared, output, rules, std::move(*source)));
    }
  }
  if (auto became = become_sensor_user(plan.settings, true); !became) {
    spdlog::error("{}", became.error().message);
    return app::kExitFailed;
  }
  const auto opened = open_outputs(output, plan, folder);
  if (!opened) {
    spdlog::error("{}", opened.error().message);
    return app::kExitFailed;
  }
  const auto store = emit::FileStore::open(plan.settings, folder);
  if (!store) {
    spdlog::error("{}", store.error().message);
    return app::kExitFailed;
  }
  const auto ring = open_evidence_ring(plan.settings, false);
  if (!ring) {
    spdlog::error("{}", ring.error().message);
    return app::kExitFailed;
  }
  if (auto confined = confine_files(options, plan, folder); !confined) {
    spdlog::error("{}", confined.error().message);
    return app::kExitFailed;
  }
  telemetry::Registry registry(metrics_table());
  add_rule_metrics(registry, plan.rule_counts);
  if (*opened != nullptr) add_kafka_metrics(registry, **opened);
  for (const auto& w : workers) add_worker_metrics(registry, w->cells());
  if (*ring != nullptr) add_evidence_metrics(registry, **ring);
  const auto page = open_metrics_page(plan.settings, registry);
  if (!page) {
    spdlog::error("{}", page.error().message);
    return app::kExitFailed;
  }
  if (auto confined = confine_calls(plan.settings); !confined) {
    spdlog::error("{}", confined.error().message);
    return app::kExitFailed;
  }
  for (auto& w : workers) {
    w->set_file_store(store->get());
    if (*ring != nullptr) w->set_recorder((*ring)->add_recorder());
  }
  if (*ring != nullptr) (*ring)->start();
  for (auto& w : workers) w->start();
  spdlog::info("watching {} with {} workers, rules {}", fmt::join(options.interfaces, ", "), workers.size(), plan.rules->hash());

  std::thread reloader;
  while (!signals.wait(1000)) {
    if (signals.take_reload()) {
      if (reloader.joinable()) reloader.join();
      reloader = std::thread([&] { reload(options, plan, rules); });
    }
    if (auto flushed = output.flush(); !flushed) spdlog::error("{}", flushed.error().message);
  }
  if (reloader.joinable()) reloader.join();
  for (auto& w : workers) w->stop();
  bool failed = false;
  uint64_t frames = 0, kernel_drops = 0;
  for (auto& w : workers) {
    w->join();
    failed = failed || w->failed();
    frames += w->worker().counters().frames;
    kernel_drops += w->capture_stats().kernel_drops;
  }
  if (*ring != nullptr) (*ring)->stop();
  if (auto saved = shared.save(); !saved) spdlog::error("{}", saved.error().message);
  if (auto flushed = output.close(kCloseTimeout); !flushed) {
    spdlog::error("{}", flushed.error().message);
    failed = true;
  }
  spdlog::info("{} packets, {} dropped by the kernel", frames, kernel_drops);
  return failed ? app::kExitFailed : app::kExitDone;
}

}  // namespace vong::sensor
