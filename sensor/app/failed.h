// What a run does with an error that it cannot go on with: it is said, and the program ends.
//
//   if (const auto ready = open(); failed(ready)) return app::kExitFailed;
#pragma once

#include <spdlog/spdlog.h>

#include "base/result.h"

namespace vong::sensor {

template <typename T>
[[nodiscard]] bool failed(const Result<T>& result) {
  if (!result) spdlog::error("{}", result.error().message);
  return !result;
}

}  // namespace vong::sensor
