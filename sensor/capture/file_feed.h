// Bytes of a file or pipe as a sliding window. Plain read() into one buffer instead of mmap: a file
// that shrinks under a mapping ends a program by SIGBUS, mapped pages count as the program's
// memory, pipes cannot be mapped, and the copy of a megabyte that stays in the cache costs less
// than the page faults.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace vong::capture {

class FileFeed {
 public:
  FileFeed() = default;
  FileFeed(const FileFeed&) = delete;
  FileFeed& operator=(const FileFeed&) = delete;
  ~FileFeed() { close(); }

  // "-" is standard input. Only regular files and pipes.
  [[nodiscard]] Result<> open(const std::string& path);
  void close();
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  // At least the next `n` bytes, more when they are in the buffer already; fewer only at the file's
  // end or on a read error (failed()). Does not advance. May move the buffer, so earlier views die,
  // unless the bytes were already there.
  [[nodiscard]] Bytes peek(size_t n) {
    if (end_ - begin_ < n) fill(n);
    return {buffer_.get() + begin_, end_ - begin_};
  }
  // What is in the buffer without reading: earlier views stay alive.
  [[nodiscard]] Bytes buffered() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void advance(size_t n) {
    begin_ += n;
    offset_ += n;
  }
  [[nodiscard]] uint64_t offset() const {
    return offset_;
  }  // of the next byte, from the file's start
  [[nodiscard]] bool failed() const { return read_errno_ != 0; }
  [[nodiscard]] int read_errno() const { return read_errno_; }

 private:
  void fill(size_t n);
  void reserve(size_t n);

  int fd_ = -1;
  bool owns_fd_ = false, at_end_ = false;
  int read_errno_ = 0;
  std::unique_ptr<uint8_t[]> buffer_;  // not set to zero: a megabyte for a small capture
  size_t capacity_ = 0;
  size_t begin_ = 0, end_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace vong::capture
