// vong-sensor ledger verify FILE...: checks a loss ledger's records.
#pragma once

#include <optional>

namespace vong::sensor {

// An exit status when the command line is such a command (0: all is well, 1: something is wrong, 2:
// wrong usage or no such file). Prints a summary on stdout, what is wrong as FILE:LINE: text on
// stderr.
[[nodiscard]] std::optional<int> ledger_command(int argc, char** argv);

}  // namespace vong::sensor
