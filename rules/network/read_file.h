// A whole text file into memory.
#pragma once

#include <string>

#include "base/result.h"

namespace vong::rules {

// At most limits.h's kMaxFileBytes; the error names the file and says why.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

}  // namespace vong::rules
