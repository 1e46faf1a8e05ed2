// Reading captures: one run over all of them, or one run each (--each).
#pragma once

#include <functional>
#include <string>

#include "app_common/program.h"
#include "sensor/app/options.h"
#include "sensor/app/worker.h"
#include "sensor/capture/packet_source.h"

namespace vong::sensor {

// Returns the exit status. Events go to DIR/eve.json (DIR/<capture>/eve.json with --each).
[[nodiscard]] int run_files(const Options& options, const Plan& plan, app::Signals& signals);

// One capture, a run of its own.
struct CaptureRun {
  std::string folder;        // of its outputs
  uint32_t tenant = 0;       // whose it is, with the tenants' selector `direct`
  std::function<bool()> interrupted = {};   // asked between batches; may be empty
};
// The exit status of that run.
[[nodiscard]] int run_capture(const Options& options, const Plan& plan, capture::PacketSource& source, const CaptureRun& run, app::Signals& signals);

}  // namespace vong::sensor
