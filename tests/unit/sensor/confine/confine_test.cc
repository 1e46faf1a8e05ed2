// What is given up is given up: each case in a child, since there is no way back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "sensor/confine/files.h"
#include "sensor/confine/privileges.h"
#include "sensor/confine/system_calls.h"

namespace vong::confine {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizer = true;  // its end needs calls that are not allowed
#else
constexpr bool kSanitizer = false;
#endif

// The child's answer: 0 when `work` was content.
int in_child(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work() ? 0 : 1);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool opens(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

class ConfineTest : public testing::Test {
 protected:
  ConfineTest() {
    char name[] = "/tmp/vong_confine_XXXXXX";
    folder_ = ::mkdtemp(name);
    for (const char* part : {"read", "write", "other"}) {
      fs::create_directory(folder_ + "/" + part);
      std::ofstream(folder_ + "/" + part + "/file") << "text";
    }
  }
  ~ConfineTest() override { fs::remove_all(folder_); }
  std::string folder_;
};

TEST_F(ConfineTest, FilesOutsideTheFoldersCannotBeOpened) {
  const int answer = in_child([&] {
    const FileAccess access{{folder_ + "/read", folder_ + "/nothing"}, {folder_ + "/write"}};
    if (!no_new_privileges()) return false;
    const auto outcome = restrict_files(access);
    if (!outcome) return false;
    if (*outcome == FilesOutcome::kNotSupported) return true;
    return opens(folder_ + "/read/file", O_RDONLY) && !opens(folder_ + "/read/file", O_WRONLY) &&
           !opens(folder_ + "/read/new", O_WRONLY | O_CREAT) &&
           opens(folder_ + "/write/file", O_RDWR) &&
           opens(folder_ + "/write/new", O_WRONLY | O_CREAT) &&
           ::unlink((folder_ + "/write/new").c_str()) == 0 &&
           !opens(folder_ + "/other/file", O_RDONLY) && !opens("/etc/passwd", O_RDONLY);
  });
  EXPECT_EQ(answer, 0);
}

TEST_F(ConfineTest, ThePacketsRoleHasFilesAndThreadsAndNothingElse) {
  if (kSanitizer) GTEST_SKIP();
  const int answer = in_child([&] {
    if (!no_new_privileges() || !restrict_system_calls(Role::kPackets)) return false;
    bool threaded = false;
    std::thread([&] { threaded = true; }).join();
    if (!threaded || !opens(folder_ + "/other/file", O_RDONLY)) return false;
    if (::socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM) return false;
    if (::fork() >= 0 || errno != EPERM) return false;
    char* none[] = {nullptr};
    return ::execve("/bin/true", none, none) < 0 && errno == EPERM;
  });
  EXPECT_EQ(answer, 0);
}

TEST_F(ConfineTest, TheFiltersHoldForThreadsThatRunAlready) {
  if (kSanitizer) GTEST_SKIP();
  const int answer = in_child([] {
    std::atomic<int> step{0};
    bool refused = false;
    std::thread other([&] {
      while (step != 1) std::this_thread::yield();
      refused = ::socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM;
    });
    const bool restricted = no_new_privileges() && restrict_system_calls(Role::kPackets);
    step = 1;
    other.join();
    return restricted && refused;
  });
  EXPECT_EQ(answer, 0);
}

TEST_F(ConfineTest, TheForwardersRoleHasTheNetworkToo) {
  if (kSanitizer) GTEST_SKIP();
  const int answer = in_child([] {
    if (!no_new_privileges() || !restrict_system_calls(Role::kForwarder)) return false;
    return ::socket(AF_INET, SOCK_STREAM, 0) >= 0 && ::fork() < 0;
  });
  EXPECT_EQ(answer, 0);
}

TEST_F(ConfineTest, AnotherUserWithoutAnyCapability) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const int answer = in_child([] {
    const auto user = find_user("nobody", "");
    if (!user || !become(*user) || !drop_capabilities(false)) return false;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("Cap") &&
          line.find_first_not_of("0", line.find('\t') + 1) != std::string::npos)
        return false;
    }
    return ::getuid() == user->uid && ::setuid(0) < 0;
  });
  EXPECT_EQ(answer, 0);
}

TEST_F(ConfineTest, AUserThatIsNotThereIsNamed) {
  const auto user = find_user("no-such-user-here", "");
  ASSERT_FALSE(user);
  EXPECT_NE(user.error().message.find("no-such-user-here"), std::string::npos);
  EXPECT_FALSE(find_user("root", "no-such-group-here"));
}

}  // namespace
}  // namespace vong::confine
