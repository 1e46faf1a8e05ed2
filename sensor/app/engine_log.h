// What the reference calls its engine log, where the configuration asks for it in a file (logging.outputs[].file): the problems of rules
// as JSON lines, for programs that watch a start. The log proper goes to stderr.
#pragma once

#include <span>
#include <string>

#include "base/settings.h"
#include "rules/network/diagnostic.h"

namespace vong::sensor {

// Appends to each such file below `folder`; what cannot be written is told on stderr.
void write_engine_log(const Settings& settings, const std::string& folder, std::span<const rules::Diagnostic> diagnostics);

}  // namespace vong::sensor
