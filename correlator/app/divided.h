// Several processes of one group share the work: docs/scaling.md. What one does of it.
#pragma once

#include "correlator/app/online.h"

namespace vong::correlator {

// As run_online, with options.facts_partitions above 0.
[[nodiscard]] int run_divided(const Options& options, const enrich::Registry& registry,
                              const sigma::RuleSet& rules, app::Signals& signals,
                              const ReloadRules& reload);

}  // namespace vong::correlator
