#include <spdlog/spdlog.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>

#include "app_common/program.h"
#include "correlator/app/backtest_command.h"
#include "correlator/app/config_reference.h"
#include "correlator/app/offline.h"
#include "correlator/app/online.h"
#include "correlator/app/options.h"
#include "correlator/app/unmask_command.h"
#include "correlator/enrich/registry.h"
#include "rules/network/read_file.h"
#include "rules/sigma/loader.h"

namespace vong::correlator {
namespace {

void add_diagnostics(const std::vector<rules::Diagnostic>& from, app::Problems& problems) {
  for (const rules::Diagnostic& d : from) {
    app::Place place{d.file, static_cast<int>(d.pos.line), static_cast<int>(d.pos.column)};
    if (d.severity == rules::Severity::kError)
      problems.error(std::move(place), d.message);
    else
      problems.warning(std::move(place), d.message);
  }
}

enrich::Registry load_registry(Options& options, app::Problems& problems) {
  if (options.agencies.empty()) {
    rules::Diagnostics none("built-in registry");
    options.engine.home_agency = "LOCAL";
    options.engine.single_agency = true;
    return enrich::Registry::parse("agencies: [{id: LOCAL, name: local}]", none);
  }
  rules::Diagnostics found(options.agencies);
  enrich::Registry registry;
  if (const auto text = rules::read_file(options.agencies))
    registry = enrich::Registry::parse(*text, found);
  else
    found.error({}, text.error().message);
  add_diagnostics(found.items(), problems);
  if (!options.engine.home_agency.empty() &&
      registry.find(options.engine.home_agency) == enrich::kNoAgency) {
    problems.error({"home-agency", 1, 1}, "no agency is called '" + options.engine.home_agency +
                                              "' in " + options.agencies);
  }
  return registry;
}

sigma::RuleSet load_rules(const Options& options, const std::vector<std::string>& paths,
                          app::Problems& problems) {
  sigma::Loader loader(options.placeholders);
  if (options.inputs.empty()) loader.keep_text();  // what is in force stands in the log
  for (const std::string& path : paths) loader.add_path(path);
  sigma::RuleSet rules = loader.finish();
  std::vector<rules::Diagnostic> found = loader.diagnostics();
  events::FieldPlan plan;  // compiled once for its diagnostics; the run compiles its own
  (void)compile_rules(rules, options.engine.campaign, options.engine.keys_max, plan, found);
  add_diagnostics(found, problems);
  if (rules.detections.empty() && problems.errors() == 0)
    problems.error({paths.empty() ? "rules" : paths.front(), 1, 1}, "no rule could be loaded");
  return rules;
}

// False: a file could not be read. What is wrong with single lines is only said.
bool load_indicators(indicators::Source& source, app::Problems& problems) {
  std::vector<rules::Diagnostic> found;
  const bool ok = source.load(found);
  add_diagnostics(found, problems);
  return ok;
}

// Reads the lists' files again if one has changed; what cannot be read changes nothing.
void refresh(indicators::Source& source) {
  if (!source.changed()) return;
  app::Problems problems;
  const bool ok = load_indicators(source, problems);
  problems.print(stderr);
  if (ok)
    spdlog::info("{} indicators loaded", source.current()->size());
  else
    spdlog::error("a list of indicators cannot be read, the old lists stay in force");
}

// Looks at the lists' files now and then, so that the others need not wait for a long one.
class IndicatorWatch {
 public:
  IndicatorWatch(indicators::Source& source, Duration interval)
      : thread_([&source, interval](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          while (!wake.wait_for(lock, stop, interval, [] { return false; })) {
            if (stop.stop_requested()) return;
            refresh(source);
          }
        }) {}

 private:
  std::jthread thread_;
};

int run(const Options& options, const enrich::Registry& registry, const sigma::RuleSet& rules,
        const std::optional<sigma::RuleSet>& against, indicators::Source& indicators,
        app::Signals& signals) {
  if (options.inputs.empty()) {
    std::optional<IndicatorWatch> watch;
    if (!options.indicators.empty()) watch.emplace(indicators, options.indicators_reload);
    const ReloadRules reload = [&]() -> std::optional<sigma::RuleSet> {
      refresh(indicators);
      app::Problems problems;
      sigma::RuleSet again = load_rules(options, options.rules, problems);
      problems.print(stderr);
      if (problems.errors() == 0) return again;
      spdlog::error("the rules have errors, those that run stay in force");
      return std::nullopt;
    };
    return run_online(options, registry, rules, signals, reload);
  }
  if (options.backtest) return run_backtest(options, registry, rules, against, signals);
  const auto report = run_offline(options, registry, rules, signals);
  if (!report) {
    spdlog::error("{}", report.error().message);
    return app::kExitFailed;
  }
  spdlog::info(
      "{} records, {} refused (dead-letter.json), {} matched a rule, {} late, {} incidents{}",
      report->records, report->refused, report->matched, report->late, report->incidents,
      report->sorted ? "; input was sorted by time first" : "");
  for (const auto& [title, matches] : report->matches)
    spdlog::info("{}: {} matches", title, matches);
  return app::kExitDone;
}

}  // namespace
}  // namespace vong::correlator

int main(int argc, char** argv) {
  using namespace vong;
  correlator::Options options;
  CLI::App cli{"EVE JSON events in, incidents out"};
  app::add_common_flags(cli, options.common);
  correlator::add_flags(cli, options);
  if (auto status = app::parse_command_line(cli, argc, argv, "vong-correlator")) return *status;
  if (options.config_reference) {
    std::fputs(correlator::config_reference_markdown().c_str(), stdout);
    return app::kExitDone;
  }
  app::start_log(options.common, "vong-correlator");
  app::Signals signals;
  app::Problems problems;
  const app::Config config = app::load_config(options.common, problems);
  if (problems.errors() > 0) return *app::finish_check(options.common, problems);
  correlator::read_config(config, options, problems);
  const enrich::Registry registry = correlator::load_registry(options, problems);
  if (!options.unmask_grant.empty()) {
    if (auto status = app::finish_check(options.common, problems)) return *status;
    return correlator::run_unmask(options, registry);
  }
  const auto indicators = std::make_shared<indicators::Source>(options.indicators);
  (void)correlator::load_indicators(*indicators, problems);
  options.engine.indicators = indicators;
  const sigma::RuleSet rules = correlator::load_rules(options, options.rules, problems);
  std::optional<sigma::RuleSet> against;
  if (!options.against.empty())
    against = correlator::load_rules(options, options.against, problems);
  if (auto status = app::finish_check(options.common, problems)) return *status;
  return correlator::run(options, registry, rules, against, *indicators, signals);
}
