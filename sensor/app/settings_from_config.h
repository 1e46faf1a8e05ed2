// From the configuration tree (YAML with positions) to the flat Settings that the rooms read.
#pragma once

#include "app_common/config.h"
#include "base/settings.h"

namespace vong::sensor {

// Every scalar of the tree under its dotted path; a key without value becomes the empty text, so
// that `has` finds it.
[[nodiscard]] Settings settings_from(const app::ConfigNode& root);

// One warning for each top-level section that nothing in this sensor reads, and one error for each
// unusable value of those that are.
void check_sections(const app::ConfigNode& root, app::Problems& problems);

}  // namespace vong::sensor
