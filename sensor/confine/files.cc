#include "sensor/confine/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace vong::confine {
namespace {

// The kernel's interface (include/uapi/linux/landlock.h, version 6 of it), which Debian 12's header
// does not have whole.
constexpr long kCreateRuleset = 444, kAddRule = 445,
               kRestrictSelf = 446;  // the same on every architecture
constexpr uint32_t kAskVersion = 1;
constexpr int kRulePathBeneath = 1;

struct RulesetAttributes {
  uint64_t fs, net, scoped;
};
struct __attribute__((packed)) PathBeneath {
  uint64_t allowed;
  int32_t parent_fd;
};

constexpr uint64_t kExecute = 1, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadDir = 1 << 3,
                   kRefer = 1 << 13, kTruncate = 1 << 14, kIoctlDevice = 1 << 15;
constexpr uint64_t kFirstVersion = (1 << 13) - 1;
constexpr uint64_t kScopeSignals = 2;
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;

uint64_t rights_of_version(long version) {
  uint64_t rights = kFirstVersion;
  if (version >= 2) rights |= kRefer;
  if (version >= 3) rights |= kTruncate;
  if (version >= 5) rights |= kIoctlDevice;
  return rights;
}

size_t attributes_size(long version) {
  if (version >= 6) return sizeof(RulesetAttributes);
  return version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Result<> allow(int ruleset, const std::string& path, uint64_t rights) {
  const Fd parent(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (parent.get() < 0) return {};  // not there: nothing to allow
  struct stat st {};
  if (::fstat(parent.get(), &st) != 0) return {};
  const bool place =
      S_ISDIR(st.st_mode) || S_ISREG(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
  if (!place) return {};  // a pipe or a socket that is open already
  if (!S_ISDIR(st.st_mode)) rights &= kOfFiles;
  const PathBeneath rule{rights, parent.get()};
  if (::syscall(kAddRule, ruleset, kRulePathBeneath, &rule, 0) != 0)
    return fail(fmt::format("landlock, {}: {}", path, std::strerror(errno)));
  return {};
}

}  // namespace

Result<FilesOutcome> restrict_files(const FileAccess& access) {
  const long version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  if (version < 1) return FilesOutcome::kNotSupported;
  const uint64_t all = rights_of_version(version);
  const RulesetAttributes attributes{all, 0, kScopeSignals};
  const Fd ruleset(
      static_cast<int>(::syscall(kCreateRuleset, &attributes, attributes_size(version), 0)));
  if (ruleset.get() < 0) return fail(fmt::format("landlock: {}", std::strerror(errno)));
  for (const auto& path : access.readable) {
    if (auto ok = allow(ruleset.get(), path, kReadFile | kReadDir); !ok)
      return std::unexpected(ok.error());
  }
  for (const auto& path : access.writable) {
    if (auto ok = allow(ruleset.get(), path, all & ~kExecute); !ok)
      return std::unexpected(ok.error());
  }
  if (::syscall(kRestrictSelf, ruleset.get(), 0) != 0)
    return fail(fmt::format("landlock: {}", std::strerror(errno)));
  return FilesOutcome::kRestricted;
}

}  // namespace vong::confine
