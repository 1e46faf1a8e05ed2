// Which flows a rule's protocol name means. Most names mean one protocol; a few of the language's mean several.
#pragma once

#include <string_view>
#include <vector>

#include "sensor/detect/buffer_catalog.h"

namespace vong::detect {

// Empty: no protocol of this name is known.
[[nodiscard]] std::vector<AppProto> app_protocols_named(std::string_view name, const Catalog& catalog);

}  // namespace vong::detect
