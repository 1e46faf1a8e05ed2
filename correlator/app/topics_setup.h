// Topics and rights on the broker, when the configuration asks for them. Blocking.
#pragma once

#include "app_common/program.h"
#include "correlator/app/options.h"
#include "correlator/enrich/registry.h"

namespace vong::correlator {

// Tries until the broker answers or a stop is asked for. False: it refuses.
[[nodiscard]] bool make_topics(const Options& options, const enrich::Registry& registry,
                               app::Signals& signals);

}  // namespace vong::correlator
