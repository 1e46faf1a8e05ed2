#include "sensor/app/run_live.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <random>
#include <thread>

#include "app_common/clock.h"
#include "sensor/app/confinement.h"
#include "sensor/app/evidence_ring.h"
#include "sensor/app/failed.h"
#include "sensor/app/live_commands.h"
#include "sensor/app/live_ops.h"
#include "sensor/app/live_sources.h"
#include "sensor/app/metrics.h"
#include "sensor/app/open_outputs.h"
#include "sensor/app/side_outputs.h"

namespace vong::sensor {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kBatchBytes = 64 * 1024;
constexpr auto kFlushInterval =
    std::chrono::milliseconds(200);  // events wait at most this long in a worker
constexpr auto kPublishInterval = std::chrono::milliseconds(500);  // counters to the metrics page
constexpr auto kPressureInterval = std::chrono::milliseconds(100);

using app::wall_clock;

int64_t thread_time_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

class WorkerThread {
 public:
  WorkerThread(const Plan& plan, detect::SharedState& shared, Output& output, RulesInForce& rules,
               std::unique_ptr<capture::PacketSource> source, uint32_t number)
      : number_(number),
        output_(output),
        rules_(rules),
        source_(std::move(source)),
        lines_(output, number),
        worker_(plan, shared, lines_),
        version_(rules.version()) {}

  // Before start(). `own` gets the steps of overload; the canary's packets are taken out of the
  // alerts.
  void attach(OwnRecords& own, Canary* canary) {
    own_ = &own;
    worker_.set_canary(canary);
  }
  [[nodiscard]] WorkerView view(std::string interface) {
    interface_ = interface;
    return {std::move(interface), &totals_, &cpu_ns_, &box_};
  }

  void set_recorder(evidence::Recorder* recorder) { worker_.set_recorder(recorder); }
  void attach(SideOutputs& side) {
    side.attach(worker_);
    stats_ = side.stats.get();
  }
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    stop_.store(true, std::memory_order_relaxed);
    source_->stop();
  }
  void join() { thread_.join(); }
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }
  [[nodiscard]] capture::CaptureStats capture_stats() const { return source_->stats(); }
  [[nodiscard]] capture::CaptureStats published_capture() const { return totals_.snapshot().capture; }   // any thread
  [[nodiscard]] const Worker& worker() const { return worker_; }
  [[nodiscard]] const WorkerCells& cells() const { return cells_; }

 private:
  void take_rules() {
    const uint64_t version = rules_.version();
    if (version == version_) [[likely]]
      return;
    version_ = version;
    worker_.set_rules(rules_.get().rules);
  }

  void publish_if_due(Timestamp now) {
    if (now - last_publish_ < kPublishInterval && now >= last_publish_) return;
    last_publish_ = now;
    const auto stats = source_->stats();
    publish(worker_, stats, cells_);
    totals_.publish(worker_, stats, lines_.made(), false);
    cpu_ns_.store(thread_time_ns(), std::memory_order_relaxed);
    if (stats_ != nullptr && (now - last_stats_ >= stats_->interval() || now < last_stats_)) {
      last_stats_ = now;
      stats_->publish(number_ - 1, worker_);
    }
  }

  // How far we are behind: the ring's fill, or the packets' time behind the clock.
  void note_pressure_if_due(Timestamp now, Timestamp newest) {
    if (now - last_pressure_ < kPressureInterval && now >= last_pressure_) return;
    last_pressure_ = now;
    double pressure = source_->fill();
    if (newest != Timestamp{} && newest < now) {
      const auto lag = static_cast<double>((now - newest).count()) /
                       static_cast<double>(worker_.shedder().control().config().lag_max.count());
      pressure = std::clamp(lag, pressure, 1.0);
    }
    const auto change = worker_.note_pressure(pressure, now);
    if (own_ != nullptr)
      report_overload(*own_, worker_.shedder(), change, interface_, pressure, now);
  }

  void take_injected(Timestamp now) {
    if (!box_.any()) [[likely]]
      return;
    for (const std::string& frame : box_.take()) {
      RawPacket raw;
      raw.ts = now;
      raw.data = as_bytes(frame);
      raw.wire_len = static_cast<uint32_t>(frame.size());
      worker_.inject(raw);
    }
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
      take_injected(now);
      note_pressure_if_due(now, n > 0 ? batch[n - 1].ts : Timestamp{});
      flush_if_due(now);
      publish_if_due(now);
    }
    worker_.finish();
    if (stats_ != nullptr) stats_->publish(number_ - 1, worker_);
    output_.write(lines_);
    const auto stats = source_->stats();
    publish(worker_, stats, cells_);
    totals_.publish(worker_, stats, lines_.made(), true);
  }

  const uint32_t number_;   // from 1 on
  Output& output_;
  StatsBoard* stats_ = nullptr;
  RulesInForce& rules_;
  std::unique_ptr<capture::PacketSource> source_;
  LineBatch lines_;
  Worker worker_;
  WorkerCells cells_;
  WorkerTotals totals_;
  FrameBox box_;
  std::atomic<int64_t> cpu_ns_{0};
  OwnRecords* own_ = nullptr;
  std::string interface_;
  Timestamp last_flush_{}, last_publish_{}, last_pressure_{}, last_stats_{};
  uint64_t version_;
  std::atomic<bool> stop_{false}, failed_{false};
  std::thread thread_;
};

int worker_count(const Options& options, const Plan& plan) {
  if (options.workers > 0) return options.workers;
  const auto configured = plan.settings.integer("workers", 0);
  if (configured > 0) return static_cast<int>(configured);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// A second, or until a signal; commands are answered meanwhile. True: the end is asked for.
bool wait_a_turn(app::Signals& signals, LiveCommands* commands) {
  constexpr int kTurnMs = 1000;
  if (commands == nullptr) return signals.wait(kTurnMs);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTurnMs);
  for (auto now = std::chrono::steady_clock::now(); now < end && !signals.stop_requested(); now = std::chrono::steady_clock::now()) {
    commands->serve(signals.fd(), static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(end - now).count()) + 1);
    if (signals.wait(0)) break;
  }
  return signals.stop_requested();
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
  RulesInForce rules(plan.rules, plan.rule_counts, wall_clock(), std::move(plan.rule_problems));
  std::vector<std::unique_ptr<WorkerThread>> workers;
  const int per_interface = worker_count(options, plan);
  for (uint16_t i = 0; i < options.interfaces.size(); ++i) {
    for (int w = 0; w < per_interface; ++w) {
      auto source = open_live_source(options.interfaces[i], i, w, per_interface, plan.settings);
      if (failed(source)) return app::kExitFailed;
      workers.push_back(
          std::make_unique<WorkerThread>(plan, shared, output, rules, std::move(*source),
                                                         static_cast<uint32_t>(workers.size() + 1)));
    }
  }
  LiveOps ops(options, plan, rules, folder, output);
  if (failed(ops.open_canary())) return app::kExitFailed;
  if (failed(become_sensor_user(plan.settings, true))) return app::kExitFailed;
  const auto opened = open_outputs(output, plan, folder);
  if (failed(opened)) return app::kExitFailed;
  auto side = SideOutputs::open(plan, folder, output, workers.size());
  if (failed(side)) return app::kExitFailed;
  const auto ring = open_evidence_ring(plan.settings, false);
  if (failed(ring)) return app::kExitFailed;
  if (failed(ops.open(*opened))) return app::kExitFailed;
  std::function<void()> meanwhile;   // set once all is open
  const auto captures = [&] {
    std::vector<std::pair<std::string, capture::CaptureStats>> all;
    for (size_t i = 0; i < workers.size(); ++i) all.emplace_back(options.interfaces[i / static_cast<size_t>(per_interface)], workers[i]->published_capture());
    return all;
  };
  const auto commands = LiveCommands::open({options, plan, rules, ops, output, *side, shared, signals, captures, [&meanwhile] { meanwhile(); }}, folder, wall_clock());
  if (failed(commands)) return app::kExitFailed;
  if (failed(confine_files(options, plan, folder))) return app::kExitFailed;
  telemetry::Registry registry(metrics_table());
  add_rule_metrics(registry, plan.rule_counts);
  if (*opened != nullptr) add_kafka_metrics(registry, **opened);
  for (const auto& w : workers) add_worker_metrics(registry, w->cells());
  if (*ring != nullptr) add_evidence_metrics(registry, **ring);
  add_output_metrics(registry, *side, output);
  for (size_t i = 0; i < workers.size(); ++i) {
    ops.watch(workers[i]->view(options.interfaces[i / static_cast<size_t>(per_interface)]));
    workers[i]->attach(ops.own(), ops.canary());
  }
  ops.add_metrics(registry);
  const auto page = open_metrics_page(plan.settings, registry);
  if (failed(page)) return app::kExitFailed;
  if (failed(confine_calls(plan.settings))) return app::kExitFailed;
  for (auto& w : workers) {
    w->attach(*side);
    if (*ring != nullptr) w->set_recorder((*ring)->add_recorder());
  }
  if (*ring != nullptr) (*ring)->start();
  side->start(wall_clock());
  for (auto& w : workers) w->start();
  spdlog::info("watching {} with {} workers, rules {}", fmt::join(options.interfaces, ", "), workers.size(), plan.rules->hash());
  if (plan.started) plan.started();
  plan.rules.reset();  // a reload lets go of the first rules too

  const auto turn = [&] {
    (void)failed(output.flush());
    side->stats->tick(wall_clock());
    ops.tick(wall_clock());
  };
  meanwhile = turn;
  while (!wait_a_turn(signals, commands->get())) {
    if (signals.take_reload()) {
      output.reopen();
      side->stats->reopen();
      ops.reload();
    }
    turn();
  }
  for (auto& w : workers) w->stop();
  bool ended_badly = false;
  uint64_t frames = 0, kernel_drops = 0;
  for (auto& w : workers) {
    w->join();
    ended_badly = ended_badly || w->failed();
    frames += w->worker().counters().frames;
    kernel_drops += w->capture_stats().kernel_drops;
  }
  if (*ring != nullptr) (*ring)->stop();
  side->stop();
  side->stats->write(wall_clock());
  (void)failed(shared.save());
  if (failed(output.flush())) ended_badly = true;
  ops.finish(wall_clock());
  if (failed(output.close(kCloseTimeout))) ended_badly = true;
  spdlog::info("{} packets, {} dropped by the kernel", frames, kernel_drops);
  return ended_badly ? app::kExitFailed : app::kExitDone;
}

}  // namespace vong::sensor
