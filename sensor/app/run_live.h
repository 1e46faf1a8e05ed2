// Watching interfaces: one source and one worker a thread, rules reloaded beside the traffic.
#pragma once

#include "app_common/program.h"
#include "sensor/app/options.h"
#include "sensor/app/worker.h"

namespace vong::sensor {

// Runs until a stop is asked for. Returns the exit status.
[[nodiscard]] int run_live(const Options& options, Plan& plan, app::Signals& signals);

}  // namespace vong::sensor
