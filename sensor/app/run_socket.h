// --unix-socket without captures or interfaces: the sensor waits, with its rules loaded, for captures to be named on its command socket, and reads
// one after another (pcap-file, pcap-file-continuous).
#pragma once

#include "app_common/program.h"
#include "sensor/app/options.h"
#include "sensor/app/worker.h"

namespace vong::sensor {

inline constexpr size_t kMaxQueuedCaptures = 10'000;   // further ones are refused

// The exit status.
[[nodiscard]] int run_socket(const Options& options, Plan& plan, app::Signals& signals);

}  // namespace vong::sensor
