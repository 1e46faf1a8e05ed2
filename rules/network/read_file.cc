#include "rules/network/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vong::rules {

Result<std::string> read_file(const std::string& path, size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  struct stat info {};
  ::fstat(fd, &info);
  constexpr size_t kChunkBytes = size_t{1} << 20;
  std::string text;
  const bool has_size = S_ISREG(info.st_mode);
  if (has_size && static_cast<size_t>(info.st_size) <= bytes_max)
    text.reserve(static_cast<size_t>(info.st_size) + kChunkBytes);
  ssize_t got = 0;
  do {
    const size_t had = text.size();
    text.resize(std::max(had + kChunkBytes, text.capacity()));
    got = ::read(fd, text.data() + had, text.size() - had);
    text.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  } while (got > 0 && text.size() <= bytes_max);
  const int read_errno = errno;
  ::close(fd);
  if (got < 0) return fail(fmt::format("{}: {}", path, std::strerror(read_errno)));
  if (text.size() > bytes_max) {
    return fail(fmt::format("{}: larger than {} bytes", path, bytes_max));
  }
  return text;
}

}  // namespace vong::rules
