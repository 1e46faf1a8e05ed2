// vong-sensor status: what the sensor on this box last said of itself.
#pragma once

#include <optional>

namespace vong::sensor {

// An exit status when the command line is such a command. 0: it runs and has what is wanted; 1: it
// is silent, or runs other rules than wanted; 2: wrong usage, no status.
[[nodiscard]] std::optional<int> status_command(int argc, char** argv);

}  // namespace vong::sensor
