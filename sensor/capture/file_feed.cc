#include "sensor/capture/file_feed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sensor/capture/limits.h"

namespace vong::capture {

Result<> FileFeed::open(const std::string& path) {
  close();
  if (path == "-") {
    fd_ = STDIN_FILENO;
    owns_fd_ = false;
  } else {
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) return fail(fmt::format("{}: cannot open: {}", path, std::strerror(errno)));
    owns_fd_ = true;
    struct stat st {};
    if (fstat(fd_, &st) == 0 && S_ISDIR(st.st_mode)) {
      close();
      return fail(fmt::format("{}: is a directory", path));
    }
    // Only a hint; the read works without it.
    (void)posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  reserve(kReadBytes);
  return {};
}

void FileFeed::close() {
  if (fd_ >= 0 && owns_fd_) ::close(fd_);
  fd_ = -1;
  at_end_ = false;
  read_errno_ = 0;
  begin_ = end_ = 0;
  offset_ = 0;
}

void FileFeed::reserve(size_t n) {
  if (capacity_ >= n) return;
  auto bigger = std::make_unique_for_overwrite<uint8_t[]>(n);
  if (end_ > begin_) std::memcpy(bigger.get() + begin_, buffer_.get() + begin_, end_ - begin_);
  buffer_ = std::move(bigger);
  capacity_ = n;
}

void FileFeed::fill(size_t n) {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  reserve(n);  // n is capped by the callers: kMaxBlockBytes
  while (end_ < n && !at_end_) {
    const ssize_t got = ::read(fd_, buffer_.get() + end_, capacity_ - end_);
    if (got > 0) {
      end_ += static_cast<size_t>(got);
    } else if (got == 0) {
      at_end_ = true;
    } else if (errno != EINTR) {
      read_errno_ = errno;
      at_end_ = true;
    }
  }
}

}  // namespace vong::capture
