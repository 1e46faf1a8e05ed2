// Where the files stand that a configuration names for its rules.
#pragma once

#include <string>

#include "app_common/problems.h"
#include "base/settings.h"
#include "sensor/detect/rule_set.h"

namespace vong::sensor {

// One name, which may be a pattern; none that matches is a warning.
void add_rule_file(const std::string& name, const std::string& config_file, detect::LoadOptions& load, app::Problems& problems);

// rule-files: absolute, or below default-rule-path; where that does not exist, beside the configuration file.
void add_rule_files(const Settings& settings, const std::string& config_file, detect::LoadOptions& load, app::Problems& problems);

// classification-file, reference-config-file, threshold-file.
void add_config_files(const Settings& settings, const std::string& config_file, detect::LoadOptions& load);

}  // namespace vong::sensor
