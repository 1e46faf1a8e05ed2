// vong-correlator --unmask GRANT: the pseudonyms of a grant, as JSON lines on standard output; the
// signed record is on disk before the first of them.
#pragma once

#include "correlator/app/options.h"
#include "correlator/enrich/registry.h"

namespace vong::correlator {

// The exit status: 0 done, 1 refused or failed (one line in the log says why).
[[nodiscard]] int run_unmask(const Options& options, const enrich::Registry& registry);

}  // namespace vong::correlator
