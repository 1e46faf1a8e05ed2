// The one place where a program asks what time it is; everything below main gets it as an argument.
#pragma once

#include <chrono>

#include "base/timestamp.h"

namespace vong::app {

[[nodiscard]] inline Timestamp wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace vong::app
