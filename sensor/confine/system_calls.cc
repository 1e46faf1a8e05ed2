#include "sensor/confine/system_calls.h"

#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace vong::confine {
namespace {

// By name: a call that an architecture does not have is left out.
constexpr auto kFiles = std::to_array<const char*>({"read",
                                                    "write",
                                                    "readv",
                                                    "writev",
                                                    "pread64",
                                                    "pwrite64",
                                                    "preadv",
                                                    "pwritev",
                                                    "lseek",
                                                    "close",
                                                    "close_range",
                                                    "open",
                                                    "openat",
                                                    "stat",
                                                    "lstat",
                                                    "fstat",
                                                    "newfstatat",
                                                    "statx",
                                                    "statfs",
                                                    "fstatfs",
                                                    "access",
                                                    "faccessat",
                                                    "faccessat2",
                                                    "readlink",
                                                    "readlinkat",
                                                    "getcwd",
                                                    "getdents64",
                                                    "mkdir",
                                                    "mkdirat",
                                                    "rmdir",
                                                    "unlink",
                                                    "unlinkat",
                                                    "rename",
                                                    "renameat",
                                                    "renameat2",
                                                    "link",
                                                    "linkat",
                                                    "truncate",
                                                    "ftruncate",
                                                    "fallocate",
                                                    "fsync",
                                                    "fdatasync",
                                                    "sync_file_range",
                                                    "fadvise64",
                                                    "flock",
                                                    "fcntl",
                                                    "dup",
                                                    "dup2",
                                                    "dup3",
                                                    "umask",
                                                    "chmod",
                                                    "fchmod",
                                                    "fchmodat",
                                                    "utimensat",
                                                    "sendfile",
                                                    "copy_file_range",
                                                    "inotify_init1",
                                                    "inotify_add_watch",
                                                    "inotify_rm_watch",
                                                    "pipe",
                                                    "pipe2"});
constexpr auto kMemory = std::to_array<const char*>(
    {"mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "mlock", "munlock",
     "brk", "get_mempolicy", "membarrier", "memfd_create"});
constexpr auto kThreads = std::to_array<const char*>({"futex",
                                                      "futex_waitv",
                                                      "set_robust_list",
                                                      "get_robust_list",
                                                      "set_tid_address",
                                                      "rseq",
                                                      "exit",
                                                      "exit_group",
                                                      "rt_sigaction",
                                                      "rt_sigprocmask",
                                                      "rt_sigreturn",
                                                      "rt_sigtimedwait",
                                                      "rt_sigpending",
                                                      "rt_sigsuspend",
                                                      "sigaltstack",
                                                      "restart_syscall",
                                                      "getpid",
                                                      "getppid",
                                                      "gettid",
                                                      "getuid",
                                                      "geteuid",
                                                      "getgid",
                                                      "getegid",
                                                      "getgroups",
                                                      "getpgrp",
                                                      "sched_yield",
                                                      "sched_getaffinity",
                                                      "sched_setaffinity",
                                                      "sched_getparam",
                                                      "sched_getscheduler",
                                                      "sched_setscheduler",
                                                      "sched_get_priority_max",
                                                      "sched_get_priority_min",
                                                      "getpriority",
                                                      "setpriority",
                                                      "getcpu",
                                                      "getrusage",
                                                      "getrlimit",
                                                      "times",
                                                      "sysinfo",
                                                      "uname",
                                                      "wait4",
                                                      "waitid",
                                                      "capget",
                                                      "getrandom"});
constexpr auto kTime = std::to_array<const char*>(
    {"nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time",
     "adjtimex", "clock_adjtime", "timerfd_create", "timerfd_settime", "timerfd_gettime",
     "setitimer", "alarm"});
// On descriptors that are open already.
constexpr auto kWaiting = std::to_array<const char*>(
    {"poll",       "ppoll",       "select",       "pselect6", "epoll_create1", "epoll_ctl",
     "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "signalfd4",     "accept",
     "accept4",    "recvfrom",    "recvmsg",      "recvmmsg", "getsockname",   "getpeername",
     "getsockopt", "setsockopt",  "shutdown"});
constexpr auto kNetwork = std::to_array<const char*>(
    {"socket", "socketpair", "connect", "bind", "listen", "sendto", "sendmsg", "sendmmsg"});

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

class Builder {
 public:
  explicit Builder(scmp_filter_ctx filter) : filter_(filter) {}

  template <size_t N>
  void allow(const std::array<const char*, N>& names) {
    for (const char* name : names) {
      const int call = ::seccomp_syscall_resolve_name(name);
      if (call >= 0) note(::seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 0));
    }
  }
  template <typename... Compare>
  void allow_if(int call, Compare... compare) {
    if (call < 0) return;
    const std::array<scmp_arg_cmp, sizeof...(compare)> all{compare...};
    note(::seccomp_rule_add_array(filter_, SCMP_ACT_ALLOW, call, all.size(), all.data()));
  }
  void answer(int call, uint32_t error) {
    if (call >= 0) note(::seccomp_rule_add(filter_, SCMP_ACT_ERRNO(error), call, 0));
  }
  void set(scmp_filter_attr attribute, uint32_t value) {
    note(::seccomp_attr_set(filter_, attribute, value));
  }
  [[nodiscard]] int error() const { return error_; }

 private:
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }
  scmp_filter_ctx filter_;
  int error_ = 0;
};

// Only what the process does to itself.
void allow_on_itself(Builder& filter) {
  const auto self = static_cast<scmp_datum_t>(::getpid());
  filter.allow_if(SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, self));
  filter.allow_if(SCMP_SYS(kill), SCMP_A0(SCMP_CMP_EQ, self));
  filter.allow_if(SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0),
                  SCMP_A2(SCMP_CMP_EQ, 0));  // asks, does not set
  filter.allow_if(SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
  filter.allow_if(SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_GET_NAME));
  // What terminals and sockets are asked; not what puts keys into somebody's terminal.
  for (const unsigned long request :
       {static_cast<unsigned long>(TCGETS), static_cast<unsigned long>(TIOCGWINSZ),
        static_cast<unsigned long>(FIONREAD), static_cast<unsigned long>(FIONBIO),
        static_cast<unsigned long>(FIOCLEX)}) {
    filter.allow_if(SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, request));
  }
  // Threads, no processes. clone3's flags stand in memory, where a filter cannot look: the C
  // library then takes clone.
  filter.allow_if(SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  filter.answer(SCMP_SYS(clone3), ENOSYS);
}

}  // namespace

Result<> restrict_system_calls(Role role) {
  const Filter context(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (context == nullptr) return fail("seccomp: no memory");
  Builder filter(context.get());
  filter.allow(kFiles);
  filter.allow(kMemory);
  filter.allow(kThreads);
  filter.allow(kTime);
  filter.allow(kWaiting);
  allow_on_itself(filter);
  if (role == Role::kForwarder) {
    filter.allow(kNetwork);
  } else {
    filter.allow_if(SCMP_SYS(sendto),
                    SCMP_A4(SCMP_CMP_EQ, 0));  // send() on what is connected; to nobody else
  }
  filter.set(SCMP_FLTATR_CTL_TSYNC, 1);
  filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree of calls, not a list
  filter.set(SCMP_FLTATR_CTL_SSB,
             1);  // what the kernel would add against side channels costs a tenth of the speed
  if (filter.error() != 0) return fail(fmt::format("seccomp: {}", std::strerror(filter.error())));
  if (const int result = ::seccomp_load(context.get()); result < 0)
    return fail(fmt::format("seccomp: {}", std::strerror(-result)));
  return {};
}

}  // namespace vong::confine
