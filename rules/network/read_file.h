// A whole text file into memory.
#pragma once

#include <string>

#include "base/result.h"
#include "rules/network/limits.h"

namespace vong::rules {

// At most `bytes_max`; the error names the file and says why.
[[nodiscard]] Result<std::string> read_file(const std::string& path,
                                            size_t bytes_max = kMaxFileBytes);

}  // namespace vong::rules
