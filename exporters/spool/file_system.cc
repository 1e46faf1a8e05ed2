#include "exporters/spool/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

namespace vong::spool {
namespace {

// Repeats a call that a signal has interrupted.
template <typename Call>
auto again(Call call) {
  decltype(call()) result;
  do result = call();
  while (result < 0 && errno == EINTR);
  return result;
}

template <typename T>
IoResult<std::size_t> count(T result) {
  if (result < 0) return std::unexpected(errno);
  return static_cast<std::size_t>(result);
}
IoResult<> done(int result) {
  if (result < 0) return std::unexpected(errno);
  return {};
}
IoResult<int> opened(int fd) {
  if (fd < 0) return std::unexpected(errno);
  return fd;
}

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

class RealFileSystem : public FileSystem {
 public:
  IoResult<> make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), kDirectoryMode) == 0 || errno == EEXIST) return {};
    return std::unexpected(errno);
  }
  IoResult<std::vector<std::string>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return std::unexpected(errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) names.emplace_back(entry->d_name);
    const int error = errno;
    ::closedir(directory);
    if (error != 0) return std::unexpected(error);
    return names;
  }
  IoResult<> sync_directory(const std::string& path) override {
    const int fd = again([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return std::unexpected(errno);
    const IoResult<> result = done(again([&] { return ::fsync(fd); }));
    ::close(fd);
    return result;
  }
  IoResult<> unlink(const std::string& path) override { return done(::unlink(path.c_str())); }

  IoResult<int> create(const std::string& path) override {
    return opened(again([&] {
      return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                    kFileMode);
    }));
  }
  IoResult<int> open_read(const std::string& path) override {
    return opened(again([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }));
  }
  IoResult<int> open_update(const std::string& path) override {
    return opened(again([&] {
      return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kFileMode);
    }));
  }
  void close(int fd) override { ::close(fd); }
  IoResult<std::size_t> write(int fd, Bytes bytes) override {
    return count(again([&] { return ::write(fd, bytes.data(), bytes.size()); }));
  }
  IoResult<std::size_t> write_at(int fd, Bytes bytes, uint64_t offset) override {
    return count(again(
        [&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); }));
  }
  IoResult<std::size_t> read_at(int fd, std::span<uint8_t> out, uint64_t offset) override {
    return count(
        again([&] { return ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset)); }));
  }
  IoResult<> sync(int fd) override {
    return done(again([&] { return ::fdatasync(fd); }));
  }
  IoResult<uint64_t> size(int fd) override {
    struct stat st {};
    if (::fstat(fd, &st) != 0) return std::unexpected(errno);
    return static_cast<uint64_t>(st.st_size);
  }
  IoResult<int> lock(const std::string& path) override {
    IoResult<int> fd = open_update(path);
    if (!fd) return fd;
    if (again([&] { return ::flock(*fd, LOCK_EX | LOCK_NB); }) == 0) return fd;
    const int error = errno;
    ::close(*fd);
    return std::unexpected(error);
  }
  uint64_t random_id() override {
    uint64_t id = 0;
    if (::getrandom(&id, sizeof id, 0) != static_cast<ssize_t>(sizeof id))
      id = std::random_device{}();
    return id | 1;  // never 0
  }
};

}  // namespace

FileSystem& real_file_system() {
  static RealFileSystem* const instance =
      new RealFileSystem;  // never destroyed: threads may still use it at the end
  return *instance;
}

std::string io_error(const std::string& path, int error) {
  return fmt::format("{}: {}", path, std::strerror(error));
}

}  // namespace vong::spool
