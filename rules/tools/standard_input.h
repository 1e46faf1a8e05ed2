#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vong::rules_tools {

// What the rest of the program calls rules that came through a pipe.
inline constexpr const char* kStandardInputName = "stdin";

// Standard input as a file that can be read more than once: the linter reads the rules, and so does
// the sensor's compiler behind it. Takes the paths of a command line and puts a readable path in
// the place of each "-". Lives as long as those paths are read. Errors: standard input, or memory
// for it, cannot be had. Not for several threads.
class StandardInput {
 public:
  StandardInput() = default;
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;
  ~StandardInput();

  // `paths` are changed only when there is a "-" among them.
  [[nodiscard]] Result<void> substitute(std::vector<std::string>& paths);

  // The name to show for `path`.
  [[nodiscard]] std::string shown(const std::string& path) const;

 private:
  [[nodiscard]] Result<void> copy();

  int fd_ = -1;
  std::string path_;  // of the copy; empty: there is none
};

}  // namespace vong::rules_tools
