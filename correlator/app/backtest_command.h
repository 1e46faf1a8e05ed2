// vong-correlator --backtest: rules over past events, beside other rules over the same ones.
#pragma once

#include <optional>

#include "app_common/program.h"
#include "correlator/app/options.h"
#include "correlator/enrich/registry.h"
#include "rules/sigma/rule.h"

namespace vong::correlator {

// Writes what a run over files writes, and backtest.json; the run of `against` goes below
// LOG_DIR/before. Prints the table to standard output unless -q. The program's exit status.
[[nodiscard]] int run_backtest(const Options& options, const enrich::Registry& registry,
                               const sigma::RuleSet& rules,
                               const std::optional<sigma::RuleSet>& against, app::Signals& signals);

}  // namespace vong::correlator
