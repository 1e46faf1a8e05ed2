#include "correlator/app/backtest_command.h"

#include <spdlog/spdlog.h>

#include <cstdio>

#include "correlator/app/backtest.h"
#include "correlator/app/offline.h"

namespace vong::correlator {

int run_backtest(const Options& options, const enrich::Registry& registry,
                 const sigma::RuleSet& rules, const std::optional<sigma::RuleSet>& against,
                 app::Signals& signals) {
  const auto failed = [](const Error& e) {
    spdlog::error("{}", e.message);
    return app::kExitFailed;
  };
  Backtest now, before;
  const auto report = run_offline(options, registry, rules, signals, &now);
  if (!report) return failed(report.error());
  if (against) {
    Options then = options;
    then.log_dir += "/before";
    const auto old = run_offline(then, registry, *against, signals, &before);
    if (!old) return failed(old.error());
  }
  const Backtest* compared = against ? &before : nullptr;
  if (auto written = now.write(options.log_dir, compared); !written) return failed(written.error());
  spdlog::info("{} records, {} refused, {} matched a rule, {} incidents", report->records,
               report->refused, report->matched, report->incidents);
  if (options.common.verbosity >= 0) std::fputs(now.table(compared).c_str(), stdout);
  return app::kExitDone;
}

}  // namespace vong::correlator
