// The calls that the spool makes on the file system, and no others: small enough to replace in
// tests by one that fails, crashes and forgets what was not synced. Errors are errno values.
// Thread-safe as the system calls are.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace vong::spool {

template <typename T = void>
using IoResult = std::expected<T, int>;

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  [[nodiscard]] virtual IoResult<> make_directory(
      const std::string& path) = 0;  // fine when it is there
  [[nodiscard]] virtual IoResult<std::vector<std::string>> list(
      const std::string& path) = 0;  // names, in any order
  [[nodiscard]] virtual IoResult<> sync_directory(const std::string& path) = 0;
  [[nodiscard]] virtual IoResult<> unlink(const std::string& path) = 0;

  [[nodiscard]] virtual IoResult<int> create(
      const std::string& path) = 0;  // new file, for writing; EEXIST
  [[nodiscard]] virtual IoResult<int> open_read(const std::string& path) = 0;
  [[nodiscard]] virtual IoResult<int> open_update(
      const std::string& path) = 0;  // reading and writing, made when it is not there
  virtual void close(int fd) = 0;
  [[nodiscard]] virtual IoResult<std::size_t> write(int fd,
                                                    Bytes bytes) = 0;  // at the end; may write less
  [[nodiscard]] virtual IoResult<std::size_t> write_at(int fd, Bytes bytes, uint64_t offset) = 0;
  [[nodiscard]] virtual IoResult<std::size_t> read_at(int fd, std::span<uint8_t> out,
                                                      uint64_t offset) = 0;
  [[nodiscard]] virtual IoResult<> sync(int fd) = 0;  // the file's data and size
  [[nodiscard]] virtual IoResult<uint64_t> size(int fd) = 0;

  // An exclusive lock that ends with the process or with close(): EWOULDBLOCK when somebody has it.
  [[nodiscard]] virtual IoResult<int> lock(const std::string& path) = 0;
  [[nodiscard]] virtual uint64_t random_id() = 0;
};

// The real one; lives as long as the process.
[[nodiscard]] FileSystem& real_file_system();

// "path: No space left on device".
[[nodiscard]] std::string io_error(const std::string& path, int error);

}  // namespace vong::spool
