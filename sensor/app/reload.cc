#include "sensor/app/reload.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "app_common/clock.h"
#include "base/json_writer.h"
#include "sensor/app/plan.h"
#include "sensor/detect/tenants.h"

namespace vong::sensor {
namespace {

constexpr int kLowPriority = 10;
constexpr uint64_t kMebibyte = 1 << 20;

using app::wall_clock;

std::string fields_of(bool done, const std::string& before, const std::string& after,
                      const std::string& why, const detect::RuleCounts& counts, Duration took,
                      const Memory& memory) {
  std::string text;
  JsonWriter out(text);
  out.field("outcome", done ? "done" : "refused");
  if (!why.empty()) out.field("reason", why);
  out.field("ruleset_before", before);
  out.field("ruleset", after);
  out.field("loaded", counts.loaded);
  out.field("failed", counts.failed);
  out.field("skipped", counts.skipped);
  out.field("seconds",
            static_cast<int64_t>(std::chrono::duration_cast<std::chrono::seconds>(took).count()));
  out.field("peak_memory_bytes", memory.peak_bytes);
  return text;
}

// A tenant that had rules and would have none: its number, as a reason; empty: there is none.
std::string tenant_without_rules(const detect::RuleSet& before, const detect::RuleSet& next) {
  if (before.tenants() == nullptr || next.tenants() == nullptr) return {};
  for (const auto& one : next.tenants()->all) {
    const auto at = before.tenants()->find(one.id);
    if (at && before.tenants()->all[*at].rules->size() > 0 && one.rules->size() == 0) return fmt::format("no rule of tenant {} is left", one.id);
  }
  return {};
}

}  // namespace

Memory process_memory() {
  Memory memory;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0)
    memory.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  std::ifstream in("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  if (in >> size >> resident)
    memory.now_bytes = resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return memory;
}

std::string reload_refusal(const detect::RuleCounts& now, const detect::RuleCounts& next,
                           bool strict) {
  if (strict && next.failed > 0) return fmt::format("{} rules cannot load", next.failed);
  if (now.loaded > 0 && next.loaded == 0) return "no rule is left";
  if (next.failed > next.loaded)
    return fmt::format("{} of {} rules cannot load", next.failed, next.failed + next.loaded);
  return {};
}

Reloader::Reloader(const Options& options, const Plan& plan, RulesInForce& rules, OwnRecords* own)
    : options_(options),
      settings_(plan.settings),
      rules_(rules),
      own_(own),
      watch_interval_(std::chrono::seconds(
          std::clamp<int64_t>(plan.settings.integer("rules.watch-interval", 0), 0, 86'400))) {
  if (watch_interval_ != Duration(0)) print_in_force_ = print_before_ = print_of_files();
}

std::string Reloader::print_of_files() const {
  app::Problems told_before;
  const auto load = rule_options(options_, settings_, told_before);
  std::string print;
  const auto add = [&](const std::string& path) {
    struct stat about {};
    if (path.empty() || ::stat(path.c_str(), &about) != 0) return;
    print += fmt::format("{} {} {} {}.{}\n", path, about.st_ino, about.st_size,
                         about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
  };
  const auto add_all = [&](const detect::LoadOptions& of) {
    for (const std::string& path : of.files) add(path);
    for (const auto* path : {&of.classification_file, &of.reference_file, &of.threshold_file}) add(*path);
  };
  add_all(load);
  if (load.tenants != nullptr) {
    for (const auto& one : load.tenants->tenants) add_all(one.load);
  }
  return print;
}

void Reloader::tick(Timestamp now) {
  if (running_.load(std::memory_order_acquire)) return;
  if (wanted_) return start();
  if (watch_interval_ == Duration(0)) return;
  if (now >= looked_ && now - looked_ < watch_interval_) return;
  looked_ = now;
  const std::string print = print_of_files();
  const bool stays = print == std::exchange(print_before_, print);
  if (!stays || print == print_in_force_) return;
  spdlog::info("rule files have changed");
  start();
}

void Reloader::start() {
  wanted_ = running_.load(std::memory_order_acquire);
  if (wanted_) return;
  wait();
  if (watch_interval_ != Duration(0)) print_in_force_ = print_of_files();
  running_.store(true, std::memory_order_relaxed);
  thread_ = std::thread([this] {
    // Of this thread only, on Linux; threads that compile inherit it.
    ::setpriority(PRIO_PROCESS, 0, kLowPriority);
    (void)run();
    running_.store(false, std::memory_order_release);
  });
}

bool Reloader::run() {
  const auto begun = std::chrono::steady_clock::now();
  const RulesInForce::State before = rules_.get();
  app::Problems problems;
  auto load = rule_options(options_, settings_, problems);
  load.previous = before.rules;
  detect::LoadReport report;
  auto next = load_rules(load, settings_, report);
  std::string why = "a rule file cannot be read";
  detect::RuleCounts ours = report.counts;  // without what the sensor adds
  if (!load.extra_rules.empty()) ours.loaded -= std::min<uint32_t>(ours.loaded, 1 + static_cast<uint32_t>(report.tenants.size()));
  if (next != nullptr) why = reload_refusal(before.counts, ours, options_.init_errors_fatal);
  if (next != nullptr && why.empty()) why = tenant_without_rules(*before.rules, *next);
  if (problems.errors() > 0) {
    problems.print(stderr);
    why = "the tenants' configuration cannot be used";
  }
  const auto took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begun);
  const Memory memory = process_memory();
  const bool done = next != nullptr && why.empty();
  const std::string hash = done ? next->hash() : before.rules->hash();
  if (done) {
    rules_.replace({std::move(next), report.counts, wall_clock(), std::make_shared<const std::vector<rules::Diagnostic>>(report.diagnostics)});
    counters_.done.add();
    spdlog::info(
        "reload: rules {} in force after {:.1f} s, {} loaded, {} failed; memory {} MiB, at most {} "
        "MiB so far",
        hash, static_cast<double>(took.count()) / 1e9, report.counts.loaded, report.counts.failed,
        memory.now_bytes / kMebibyte, memory.peak_bytes / kMebibyte);
  } else {
    counters_.refused.add();
    spdlog::error("reload refused, rules {} stay in force: {}", hash, why);
  }
  if (own_ != nullptr)
    own_->write(wall_clock(), "reload",
                fields_of(done, before.rules->hash(), hash, why, report.counts, took, memory));
  return done;
}

void add_reload_metrics(telemetry::Registry& registry, const Reloader& reloader,
                        const RulesInForce& rules) {
  registry.add("vong_sensor_reloads_total", {{"outcome", "done"}}, reloader.counters().done);
  registry.add("vong_sensor_reloads_total", {{"outcome", "refused"}}, reloader.counters().refused);
  registry.add("vong_sensor_rules_age_seconds", {}, [&rules] {
    return static_cast<double>((wall_clock() - rules.get().since).count()) / 1e9;
  });
}

}  // namespace vong::sensor
