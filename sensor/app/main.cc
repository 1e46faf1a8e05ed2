// vong-sensor: the program as a list of steps.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app_common/huge_pages.h"
#include "app_common/program.h"
#include "sensor/app/confinement.h"
#include "sensor/app/daemon.h"
#include "sensor/app/engine_log.h"
#include "sensor/app/evidence_ring.h"
#include "sensor/app/forwarding.h"
#include "sensor/app/ledger_command.h"
#include "sensor/app/open_outputs.h"
#include "sensor/app/listings.h"
#include "sensor/app/options.h"
#include "sensor/app/plan.h"
#include "sensor/app/run_files.h"
#include "sensor/app/run_live.h"
#include "sensor/app/run_socket.h"
#include "sensor/app/status_command.h"
#include "sensor/detect/rule_analysis.h"

namespace {

using namespace vong;

// What "wrong rules" means: with --init-errors-fatal, and when the rules are what is being checked.
bool rules_stop_the_start(const sensor::Options& options, const Settings& settings,
                          const detect::LoadReport& report) {
  const bool fatal = options.init_errors_fatal || settings.flag("engine.init-failure-fatal", false);
  return report.counts.failed > 0 && (fatal || options.common.test_only);
}

bool is_secret(std::string_view key) {
  return key.find("password") != key.npos || key.find("secret") != key.npos;
}

// --engine-analysis: what the engine makes of each rule, into the log folder.
Result<> write_analysis(const Settings& settings, const std::string& folder, const detect::RuleSet& rules) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const auto write = [&](const char* name, const std::string& text) -> Result<> {
    const std::string path = folder + "/" + name;
    std::ofstream out(path);
    out << text;
    if (!out.flush()) return fail("cannot write " + path);
    spdlog::info("{} written", path);
    return {};
  };
  if (settings.flag("engine-analysis.rules", true)) {
    if (auto done = write("rules_analysis.txt", detect::rule_analysis(rules)); !done) return done;
  }
  if (!settings.flag("engine-analysis.rules-fast-pattern", true)) return {};
  return write("rules_fast_pattern.txt", detect::fast_pattern_analysis(rules));
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
  sensor::Daemon daemon;
  if (options.daemon && !options.common.test_only && !options.dump_config) {
    if (const auto status = daemon.detach()) return *status;
  }
  app::Signals signals;

  app::Problems problems;
  Settings settings = sensor::read_settings(options, problems);
  sensor::take_configured_interfaces(options, settings);
  if (options.interfaces.empty() && !(options.af_packet.empty() && options.pcap.empty()))
    problems.error({options.common.config_file.empty() ? "-" : options.common.config_file, 1, 1}, "no interface is named, neither on the command line nor in the configuration");
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
  if (options.engine_analysis) {
    const std::string folder = options.log_dir.empty() || options.log_dir == "-" ? std::string(settings.text("default-log-dir", ".")) : options.log_dir;
    if (const auto done = write_analysis(settings, folder, *rules); !done) {
      spdlog::error("{}", done.error().message);
      return app::kExitFailed;
    }
  }
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
  plan.rule_problems = std::move(report.diagnostics);
  plan.forwarding = forwarding.get();
  sensor::fill_plan(plan, options, std::move(settings), std::move(rules));
  if (options.pid_file.empty() && options.daemon) options.pid_file = plan.settings.text("pid-file", "");
  if (const std::string wrong = sensor::write_pid_file(options.pid_file); !wrong.empty()) {
    spdlog::error("{}", wrong);
    return app::kExitFailed;
  }
  const std::string folder = sensor::log_folder(options, plan);
  plan.started = [&daemon, log = folder == "-" ? "" : folder + "/vong-sensor.log"] { daemon.ready(log); };
  const bool waits = options.interfaces.empty() && options.captures.empty() && !options.unix_socket.empty();
  const int status = waits                        ? sensor::run_socket(options, plan, signals)
                     : options.interfaces.empty() ? sensor::run_files(options, plan, signals)
                                                  : sensor::run_live(options, plan, signals);
  if (!options.pid_file.empty()) ::unlink(options.pid_file.c_str());
  return status;
}
