// From command line and configuration to the plan that workers run by. Every problem goes to the
// problem list with its place.
#pragma once

#include <memory>

#include "app_common/problems.h"
#include "sensor/app/options.h"
#include "sensor/app/worker.h"
#include "sensor/detect/rule_set.h"

namespace vong::sensor {

// Reads -c and --set over it, checks what can be checked without rules.
[[nodiscard]] Settings read_settings(const Options& options, app::Problems& problems);

// The rule files by -S, -s and rule-files (globs are resolved, relative names stand below
// default-rule-path).
[[nodiscard]] detect::LoadOptions rule_options(const Options& options, const Settings& settings,
                                               app::Problems& problems);

// Loads the rules; their diagnostics are printed to stderr as file:line:column lines. Null with an
// error line when nothing can go on.
[[nodiscard]] std::shared_ptr<const detect::RuleSet> load_rules(const detect::LoadOptions& load,
                                                                const Settings& settings,
                                                                detect::LoadReport& report);

// Settings, EVE configuration, protocols with what the rules need of them.
void fill_plan(Plan& plan, const Options& options, Settings settings,
               std::shared_ptr<const detect::RuleSet> rules);

}  // namespace vong::sensor
