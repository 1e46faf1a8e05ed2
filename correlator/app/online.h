// Kafka in, Kafka out, exactly once. Offsets and output go into one transaction, with the watermark
// in the offsets' metadata.
//
// State is not stored: it is a function of the events, so after a start, a crash or a rebalance it
// is rebuilt by reading the topics again from their beginning (or from `replay` ago) up to the
// committed offsets, with the output switched off. Because the engine is deterministic, it then
// stands where the last committed transaction left it. Late events do the same: order is made anew
// with them in it, and only what changes in the incidents is told.
#pragma once

#include "app_common/program.h"
#include "correlator/app/options.h"
#include "correlator/app/rule_reload.h"
#include "correlator/enrich/registry.h"
#include "rules/sigma/rule.h"

namespace vong::correlator {

// Runs until a stop is asked for. The exit status.
[[nodiscard]] int run_online(const Options& options, const enrich::Registry& registry,
                             const sigma::RuleSet& rules, app::Signals& signals,
                             const ReloadRules& reload);

}  // namespace vong::correlator
