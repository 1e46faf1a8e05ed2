#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cerrno>

#include "app_common/program.h"

namespace vong::app {
namespace {

// Signals belong to the process, so their state does too. The handlers touch nothing but lock-free
// atomics and write(2).
std::atomic<bool> g_stop{false};
std::atomic<uint32_t> g_reloads{0};
std::atomic<int> g_fd{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void wake() {
  const int saved = errno;
  const uint64_t one = 1;
  if (::write(g_fd.load(), &one, sizeof one) < 0) {
    // full: it is readable already
  }
  errno = saved;
}

void on_stop(int) {
  g_stop = true;
  wake();
}
void on_reload(int) {
  ++g_reloads;
  wake();
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);  // no SA_RESTART: blocking reads return and see the stop
}

}  // namespace

Signals::Signals() {
  assert(g_fd == -1 && "one Signals per process");
  g_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  g_stop = false;
  g_reloads = 0;
  handle(SIGTERM, on_stop);
  handle(SIGINT, on_stop);
  handle(SIGHUP, on_reload);
  handle(SIGUSR2, on_reload);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);  // a file that may not grow further is an error of the write too
}

Signals::~Signals() {
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGPIPE, SIGXFSZ}) handle(signal, SIG_DFL);
  ::close(g_fd.exchange(-1));
}

bool Signals::stop_requested() const { return g_stop; }

bool Signals::take_reload() {
  uint32_t n = g_reloads;
  while (n > 0 && !g_reloads.compare_exchange_weak(n, n - 1)) {
  }
  return n > 0;
}

int Signals::fd() const { return g_fd; }

bool Signals::wait(int timeout_ms) {
  if (g_stop) return true;
  pollfd p{g_fd, POLLIN, 0};
  if (::poll(&p, 1, timeout_ms) > 0) {
    uint64_t count;
    if (::read(g_fd, &count, sizeof count) < 0) {
      // somebody else has read it
    }
  }
  return g_stop;
}

void Signals::request_stop() { on_stop(SIGTERM); }

}  // namespace vong::app
