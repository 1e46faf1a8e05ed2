// Reading captures: one run over all of them, or one run each (--each).
#pragma once

#include "app_common/program.h"
#include "sensor/app/options.h"
#include "sensor/app/worker.h"

namespace vong::sensor {

// Returns the exit status. Events go to DIR/eve.json (DIR/<capture>/eve.json with --each).
[[nodiscard]] int run_files(const Options& options, const Plan& plan, app::Signals& signals);

}  // namespace vong::sensor
