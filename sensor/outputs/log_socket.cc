#include "sensor/outputs/log_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "fmt/format.h"

namespace vong::outputs {
namespace {

constexpr int kWaitMs = 5000;
constexpr auto kRetry = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<LogSocket>> LogSocket::open(Kind kind, std::string path, bool waits) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return fail(fmt::format("{}: the name of a socket has less than {} bytes", path, sizeof(sockaddr_un::sun_path)));
  auto socket = std::unique_ptr<LogSocket>(new LogSocket(kind, std::move(path), waits));
  (void)socket->connect();
  return socket;
}

LogSocket::~LogSocket() { close(); }

void LogSocket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  rest_.clear();
}

bool LogSocket::connect() {
  close();
  fd_ = ::socket(AF_UNIX, (kind_ == Kind::kStream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  error_ = std::strerror(errno);
  close();
  return false;
}

// All of it, or, of a stream, a beginning, whose end rest_ then holds. False: it is lost.
bool LogSocket::send(std::string_view piece) {
  if (!rest_.empty()) {
    const std::string before = std::exchange(rest_, {});
    if (!send(before)) {
      if (fd_ >= 0 && rest_.empty()) rest_ = before;
      return false;
    }
    if (!rest_.empty()) return false;
  }
  const size_t whole = piece.size();
  while (!piece.empty()) {
    const ssize_t n = ::write(fd_, piece.data(), piece.size());   // the one call that the sensor keeps; SIGPIPE is ignored
    if (n >= 0) {
      piece.remove_prefix(static_cast<size_t>(n));
      if (kind_ == Kind::kDatagram) return true;
      continue;
    }
    if (errno == EINTR) continue;
    const bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
    error_ = std::strerror(errno);
    if (!full) {
      close();
      return false;
    }
    pollfd wait{fd_, POLLOUT, 0};
    if (waits_ && ::poll(&wait, 1, kWaitMs) > 0) continue;
    if (piece.size() == whole) return false;
    rest_ = piece;
    return true;
  }
  return true;
}

uint64_t LogSocket::write(std::string_view text, uint64_t lines) {
  uint64_t lost = 0;
  if (fd_ < 0) return lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end == text.npos ? text.size() : end + 1);
    text.remove_prefix(line.size());
    if (fd_ < 0 || !send(kind_ == Kind::kDatagram ? line.substr(0, line.size() - (end != line.npos)) : line)) ++lost;
  }
  return lost;
}

void LogSocket::tick(Timestamp now) {
  if (fd_ >= 0 || (now >= tried_ && now - tried_ < kRetry)) return;
  tried_ = now;
  (void)connect();
}

}  // namespace vong::outputs
