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

Result<std::unique_ptr<FileOutput>> FileOutput::open(const std::string& path) {
  if (path == "-")
    return std::unique_ptr<FileOutput>(new FileOutput(STDOUT_FILENO, "standard output"));
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return std::unique_ptr<FileOutput>(new FileOutput(fd, path));
}

FileOutput::~FileOutput() {
  drain();
  if (fd_ != STDOUT_FILENO) ::close(fd_);
}

void FileOutput::write(const LineBatch& batch) {
  buffer_.append(batch.text());
  lines_buffered_ += batch.lines().size();
  if (buffer_.size() >= kFlushBytes) drain();
}

void FileOutput::drain() {
  size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else {
      error_ = std::strerror(errno);
      lines_lost_ += lines_buffered_;
      break;
    }
  }
  buffer_.clear();
  lines_buffered_ = 0;
}

Result<> FileOutput::flush() {
  drain();
  if (error_.empty()) return {};
  auto message = fmt::format("cannot write {}: {}, {} events lost", path_, error_, lines_lost_);
  error_.clear();
  lines_lost_ = 0;
  return fail(std::move(message));
}

void LineBatch::spill() { spill_to_->write(*this); }

void Output::write(LineBatch& batch) {
  if (batch.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (auto& sink : sinks_) sink->write(batch);
  }
  batch.clear();
}

Result<> Output::flush() {
  const std::lock_guard lock(mutex_);
  Result<> result;
  for (auto& sink : sinks_) {
    if (auto flushed = sink->flush(); !flushed && result) result = std::move(flushed);
  }
  return result;
}

Result<> Output::close(std::chrono::milliseconds timeout) {
  const std::lock_guard lock(mutex_);
  Result<> result;
  for (auto& sink : sinks_) {
    if (auto closed = sink->close(timeout); !closed && result) result = std::move(closed);
  }
  return result;
}

}  // namespace vong::sensor
