// Takes lines of text, each with its newline, back to back. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/timestamp.h"

namespace vong::outputs {

class LogTarget {
 public:
  virtual ~LogTarget() = default;
  // How many of the `lines` lines in `text` were not taken; why says error().
  [[nodiscard]] virtual uint64_t write(std::string_view text, uint64_t lines) = 0;
  // Of the wall clock, now and then: rotation.
  virtual void tick(Timestamp) {}
  // Another has moved the file away: the next line goes into a new one.
  virtual void reopen() {}
  [[nodiscard]] virtual const std::string& name() const = 0;   // for messages
  [[nodiscard]] const std::string& error() const { return error_; }

 protected:
  std::string error_;   // of the last failure
};

}  // namespace vong::outputs
