#include "sensor/capture/frame_sender.h"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vong::capture {
namespace {
Result<> failed(const std::string& interface, const char* what) {
  return fail(fmt::format("{}: {}: {}", interface, what, std::strerror(errno)));
}
}  // namespace

Result<FrameSender> FrameSender::open(const std::string& interface) {
  // Protocol 0: nothing is received. Blocking would stop the caller, so it does not.
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::unexpected(failed(interface, "cannot open a packet socket").error());
  FrameSender sender(fd, interface);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0)
    return std::unexpected(failed(interface, "no such interface").error());
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected(failed(interface, "cannot bind").error());
  return sender;
}

FrameSender::FrameSender(FrameSender&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), interface_(std::move(other.interface_)) {}

FrameSender::~FrameSender() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> FrameSender::send(std::string_view frame) {
  // write(): the socket is bound.
  if (::write(fd_, frame.data(), frame.size()) != static_cast<ssize_t>(frame.size()))
    return failed(interface_, "cannot send");
  return {};
}

}  // namespace vong::capture
