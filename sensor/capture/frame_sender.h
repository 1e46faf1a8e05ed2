// Sends whole frames out of a Linux interface: where the sensor's own test traffic comes from.
// Needs CAP_NET_RAW when it is opened. One thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vong::capture {

class FrameSender {
 public:
  [[nodiscard]] static Result<FrameSender> open(const std::string& interface);
  FrameSender(FrameSender&& other) noexcept;
  FrameSender& operator=(FrameSender&&) = delete;
  ~FrameSender();
  [[nodiscard]] Result<> send(std::string_view frame);

 private:
  FrameSender(int fd, std::string interface) : fd_(fd), interface_(std::move(interface)) {}
  int fd_;
  std::string interface_;
};

}  // namespace vong::capture
