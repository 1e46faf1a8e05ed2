// multi-detect: the tenants' own configuration files, and whose traffic is whose.
#pragma once

#include <memory>

#include "app_common/problems.h"
#include "base/settings.h"
#include "sensor/app/options.h"
#include "sensor/detect/tenants.h"

namespace vong::sensor {

[[nodiscard]] bool has_tenants(const Settings& settings);

// The master's settings with what tenants may set for themselves taken from `tenant`: rule-files and default-rule-path alone from there,
// the other files and each variable where the tenant has them.
[[nodiscard]] Settings tenant_settings(const Settings& master, const Settings& tenant);

// The file of the tenant at `path` ("multi-detect.tenants.0"); empty: it names none.
[[nodiscard]] std::string tenant_yaml(const Settings& settings, const std::string& path, const std::string& config_file);

// Reads every tenant's file. `master`: what all rule sets are loaded with. What is wrong goes to `problems`; the plan then has what is right.
[[nodiscard]] std::shared_ptr<const detect::TenantPlan> read_tenants(const Options& options, const Settings& settings,
                                                                     const detect::LoadOptions& master, app::Problems& problems);

}  // namespace vong::sensor
