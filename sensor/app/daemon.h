// -D: the program goes on in the background. Who started it waits until packets are watched, or gets the status with which the start failed.
#pragma once

#include <optional>
#include <string>

namespace vong::sensor {

class Daemon {
 public:
  // Before any thread. In the process that was started: waits, and gives the status to end with. In the one that goes on: none.
  [[nodiscard]] std::optional<int> detach();
  // Packets are watched: lets the first process go. What is said from now on goes to `log_file` (empty: nowhere). Only once, and
  // nothing when detach() was never called.
  void ready(const std::string& log_file);

 private:
  int word_ = -1;   // end of a pipe to the process that waits
};

// Writes the process's id; an error line when that file is another living process's, or cannot be written. Empty: no file.
[[nodiscard]] std::string write_pid_file(const std::string& path);

}  // namespace vong::sensor
