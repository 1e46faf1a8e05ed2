#include "sensor/app/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "app_common/program.h"
#include "base/files.h"

namespace vong::sensor {
namespace {

constexpr char kReady = 'r';

int wait_for(pid_t child, int from) {
  char word = 0;
  ssize_t n = 0;
  while ((n = ::read(from, &word, 1)) < 0 && errno == EINTR) {
  }
  if (n == 1 && word == kReady) return app::kExitDone;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : app::kExitFailed;
}

}  // namespace

std::optional<int> Daemon::detach() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return app::kExitFailed;
  const pid_t child = ::fork();
  if (child < 0) return app::kExitFailed;
  if (child > 0) {
    ::close(ends[1]);
    return wait_for(child, ends[0]);
  }
  ::close(ends[0]);
  word_ = ends[1];
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  if (null >= 0) ::close(null);
  return std::nullopt;
}

void Daemon::ready(const std::string& log_file) {
  if (word_ < 0) return;
  int out = log_file.empty() ? -1 : ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (out < 0) out = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (out >= 0) {
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::close(out);
  }
  (void)write_all(word_, {&kReady, 1});
  ::close(word_);
  word_ = -1;
}

std::string write_pid_file(const std::string& path) {
  if (path.empty()) return {};
  pid_t other = 0;
  if (std::ifstream in(path); in >> other && other > 0 && other != ::getpid() && (::kill(other, 0) == 0 || errno == EPERM))
    return fmt::format("pid file {}: process {} is alive", path, other);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  const bool written = fd >= 0 && write_all(fd, fmt::format("{}\n", ::getpid()));
  const std::string why = written ? "" : fmt::format("pid file {}: {}", path, std::strerror(errno));
  if (fd >= 0) ::close(fd);
  return why;
}

}  // namespace vong::sensor
