// vong-sensor: the program as a list of steps.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <fstream>

#include "app_common/huge_pages.h"
#include "app_common/program.h"
#include "sensor/app/confinement.h"
#include "sensor/app/engine_log.h"
#include "sensor/app/evidence_ring.h"
#include "sensor/app/forwarding.h"
#include "sensor/app/ledger_command.h"
#include "sensor/app/listings.h"
#include "sensor/app/options.h"
#include "sensor/app/plan.h"
#include "sensor/app/run_files.h"
#include "sensor/app/run_live.h"
#include "sensor/app/status_command.h"

namespace {

using namespace vong;

// What "wrong rules" means: with --init-errors-fatal, and when the rules are what is being checked.
bool rules_stop_the_start(const sensor::Options& options, const Settings& settings,
                          const detect::LoadReport& report) {
  const bool fatal = options.init_errors_fatal || settings.flag("engine.init-failure-fatal", false);
  return report.counts.failed > 0 && (fatal || options.common.test_only);
}

void write_pid_file(const std::string& path) {
  if (path.empty()) return;
  std::ofstream out(path);
  out << ::getpid() << '\n';
  if (!out) spdlog::warn("cannot write pid file {}", path);
}

bool is_secret(std::string_view key) {
  return key.find("password") != key.npos || key.find("secret") != key.npos;
}

// What has to be right before anything is opened.
Result<> check_start(const Settings& settings) {
  if (auto ok = sensor::ForwardingProcess::check(settings); !ok) return ok;
  return sensor::check_confinement(settings);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "extract") return sensor::run_extract(argc - 1, argv + 1);
  if (const auto status = sensor::ledger_command(argc, argv)) return *status;
  if (const auto status = sensor::status_command(argc, argv)) return *status;
  sensor::Options options;
  if (const auto status = sensor::parse_options(argc, argv, options)) return *status;
  app::use_huge_pages(argv);
  app::start_log(options.common, "vong-sensor");
  if (const auto status = sensor::answer_listings(options)) return *status;
  app::Signals signals;

  app::Problems problems;
  Settings settings = sensor::read_settings(options, problems);
  const auto load = sensor::rule_options(options, settings, problems);
  if (problems.errors() > 0) {
    problems.print(stderr);
    return app::kExitUsage;
  }
  problems.print(stderr);
  if (options.dump_config) {
    for (const auto& [key, value] : settings.all()) fmt::print("{} = {}\n", key, is_secret(key) ? "(not shown)" : value);
    return app::kExitDone;
  }
  if (const auto usable = check_start(settings); !usable) {
    spdlog::error("{}", usable.error().message);
    return app::kExitUsage;
  }
  // Before there are threads, and before rules take memory.
  std::unique_ptr<sensor::ForwardingProcess> forwarding;
  if (!options.common.test_only && !options.each) {
    auto started = sensor::ForwardingProcess::start(settings);
    if (!started) {
      spdlog::error("{}", started.error().message);
      return app::kExitFailed;
    }
    forwarding = std::move(*started);
  }

  detect::LoadReport report;
  auto rules = sensor::load_rules(load, settings, report);
  sensor::write_engine_log(settings, options.log_dir.empty() ? std::string(settings.text("default-log-dir", ".")) : options.log_dir, report.diagnostics);
  if (rules == nullptr) return app::kExitUsage;
  if (rules_stop_the_start(options, settings, report)) {
    spdlog::error("{} rules cannot load", report.counts.failed);
    return app::kExitUsage;
  }
  if (options.common.test_only) {
    spdlog::info("configuration and rules are usable");
    return app::kExitDone;
  }
  sensor::Plan plan;
  plan.rule_counts = report.counts;
  plan.tenant_counts = report.tenants;
  plan.forwarding = forwarding.get();
  sensor::fill_plan(plan, options, std::move(settings), std::move(rules));
  write_pid_file(options.pid_file);
  const int status = options.interfaces.empty() ? sensor::run_files(options, plan, signals)
                                                : sensor::run_live(options, plan, signals);
  if (!options.pid_file.empty()) ::unlink(options.pid_file.c_str());
  return status;
}
