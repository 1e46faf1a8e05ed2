// A run over files, folders or a pipe.
#pragma once

#include "app_common/program.h"
#include "base/result.h"
#include "correlator/app/backtest.h"
#include "correlator/app/options.h"
#include "correlator/enrich/registry.h"
#include "rules/sigma/rule.h"

namespace vong::correlator {

struct OfflineReport {
  uint64_t records = 0, refused = 0, matched = 0, late = 0, incidents = 0;
  bool sorted = false;  // all facts were sorted first
  bool stopped = false;
  std::vector<std::pair<std::string, uint64_t>> matches;  // per correlation, by title
};

// `backtest`: with options.backtest, takes what each rule said.
[[nodiscard]] Result<OfflineReport> run_offline(const Options& options,
                                                const enrich::Registry& registry,
                                                const sigma::RuleSet& rules, app::Signals& signals,
                                                Backtest* backtest = nullptr);

}  // namespace vong::correlator
