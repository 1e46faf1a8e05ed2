// --list-keywords, --list-app-layer-protos, --build-info, --keyword-reference: answers that need no
// configuration.
#pragma once

#include <optional>

#include "sensor/app/options.h"

namespace vong::sensor {

// An exit status when one of them was asked for and answered on stdout.
[[nodiscard]] std::optional<int> answer_listings(const Options& options);

}  // namespace vong::sensor
