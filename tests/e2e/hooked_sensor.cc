// A vong-sensor whose parser is "taken over": the linker puts attack() in the way of
// Worker::process (see CMakeLists.txt), and a packet with the word below runs it on the packet's
// thread. Every attempt is one line on stderr: "hook: NAME ok" or "hook: NAME <errno>". The program
// that is installed has none of this: nothing in it knows of the hook.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "sensor/packet/types.h"

namespace {

constexpr std::string_view kWord = "VONG-HOOK";

void tell(const char* name, long result) {
  // Not through the sensor's log: what is tested must not be needed for telling.
  char line[128];
  const int n = std::snprintf(line, sizeof line, "hook: %s %s\n", name,
                              result >= 0 ? "ok" : strerrorname_np(errno));
  (void)!::write(STDERR_FILENO, line, static_cast<size_t>(n));
}

long open_and_close(const char* path, int flags) {
  const int fd = ::open(path, flags | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  return fd;
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void attack() {
  char shell[] = "/bin/sh";
  char* arguments[] = {shell, nullptr};
  tell("exec", ::execve(shell, arguments, nullptr));
  tell("fork", ::syscall(SYS_fork));
  tell("vfork-by-clone", ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  tell("socket-inet", ::socket(AF_INET, SOCK_STREAM, 0));
  tell("socket-inet6", ::socket(AF_INET6, SOCK_DGRAM, 0));
  tell("socket-unix", ::socket(AF_UNIX, SOCK_STREAM, 0));
  tell("socket-packet", ::socket(AF_PACKET, SOCK_RAW, 0));
  tell("socket-netlink", ::socket(AF_NETLINK, SOCK_RAW, 0));
  tell("read-shadow", open_and_close("/etc/shadow", O_RDONLY));
  tell("read-passwd", open_and_close("/etc/passwd", O_RDONLY));
  tell("read-outside", open_and_close(environment("HOOK_OUTSIDE"), O_RDONLY));
  tell("write-outside", open_and_close((std::string(environment("HOOK_OUTSIDE")) + ".new").c_str(),
                                       O_WRONLY | O_CREAT));
  tell("write-rules", open_and_close(environment("HOOK_RULES"), O_WRONLY));
  tell("read-password", open_and_close(environment("HOOK_PASSWORD"), O_RDONLY));
  tell("ptrace", ::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr));
  char byte;
  iovec here{&byte, 1}, there{&byte, 1};
  tell("read-other-process", ::process_vm_readv(::getppid(), &here, 1, &there, 1, 0));
  tell("signal-parent", ::kill(::getppid(), 0));
  tell("mount", ::mount("none", "/mnt", "tmpfs", 0, nullptr));
  tell("become-root", ::setuid(0));
  tell("chroot", ::chroot("/"));
  tell("bpf", ::syscall(SYS_bpf, 0, nullptr, 0));
  tell("io_uring", ::syscall(SYS_io_uring_setup, 1, nullptr));
  tell("namespace", ::syscall(SYS_unshare, 0x10000000));
  // And what it has to be able to do, or the rest proves nothing.
  tell("write-inside", open_and_close((std::string(environment("HOOK_INSIDE")) + "/made").c_str(),
                                      O_WRONLY | O_CREAT));
}

}  // namespace

// Worker::process(std::span<const RawPacket>), by its mangled name.
using Batch = std::span<const vong::RawPacket>;
extern "C" void __real__ZN4vong6sensor6Worker7processESt4spanIKNS_9RawPacketELm18446744073709551615EE(
    void* self, Batch batch);
extern "C" void __wrap__ZN4vong6sensor6Worker7processESt4spanIKNS_9RawPacketELm18446744073709551615EE(
    void* self, Batch batch) {
  static bool done = false;
  for (const vong::RawPacket& raw : batch) {
    const std::string_view text(reinterpret_cast<const char*>(raw.data.data()), raw.data.size());
    if (done || text.find(kWord) == std::string_view::npos) continue;
    done = true;
    attack();
  }
  __real__ZN4vong6sensor6Worker7processESt4spanIKNS_9RawPacketELm18446744073709551615EE(self,
                                                                                        batch);
}
