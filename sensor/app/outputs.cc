#include "sensor/app/outputs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vong::sensor {
namespace {

constexpr size_t kFlushBytes = 256 * 1024;

}  // namespace

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path) {
  if (path == "-") return std::unique_ptr<FileSink>(new FileSink(STDOUT_FILENO, "standard output"));
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return std::unique_ptr<FileSink>(new FileSink(fd, path));
}

FileSink::FileSink(int fd, std::string path) : fd_(fd), path_(std::move(path)) {
  buffer_.reserve(kFlushBytes + 65536);
}

FileSink::~FileSink() {
  flush();
  if (fd_ != STDOUT_FILENO) ::close(fd_);
}

void FileSink::line(std::string_view json, const emit::LineInfo&) {
  buffer_.append(json);
  buffer_.push_back('\n');
  ++lines_buffered_;
  if (buffer_.size() >= kFlushBytes) flush();
}

bool FileSink::flush() {
  size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else {
      if (error_.empty()) error_ = fmt::format("cannot write {}: {}", path_, std::strerror(errno));
      lines_lost_ += lines_buffered_;
      break;
    }
  }
  buffer_.clear();
  lines_buffered_ = 0;
  return error_.empty();
}

}  // namespace vong::sensor
