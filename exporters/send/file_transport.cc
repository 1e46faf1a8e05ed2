#include "exporters/send/file_transport.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files.h"

namespace vong::send {
namespace {

constexpr std::size_t kWriteAtBytes = 1 << 20;

bool sync_parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = ::fsync(fd) == 0;
  ::close(fd);
  return ok;
}

}  // namespace

FileTransport::~FileTransport() { disconnect(); }

Reply FileTransport::failed(const std::string& what) const {
  const int error = errno;
  const Step step = error == EACCES || error == ENOENT || error == EROFS || error == EISDIR
                        ? Step::kRefused
                        : Step::kReconnect;
  return {step, fmt::format("{}: {}", what, std::strerror(error))};
}

Reply FileTransport::connect(Committed& committed) {
  disconnect();
  committed = Committed{};
  size_ = 0;
  if (std::FILE* file = std::fopen((path_ + ".position").c_str(), "re")) {
    unsigned long long size = 0;
    unsigned long long next = 0;
    char metadata[128] = "";
    const int fields = std::fscanf(file, "%llu %llu %127[^\n]", &size, &next, metadata);
    std::fclose(file);
    if (fields != 3) return {Step::kRefused, fmt::format("{}.position: is not a position", path_)};
    size_ = size;
    committed = from_metadata(next, metadata);
  } else if (errno != ENOENT) {
    return failed(path_ + ".position");
  }
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
  if (fd_ < 0) return failed(path_);
  struct stat st {};
  if (::fstat(fd_, &st) != 0) return failed(path_);
  if (static_cast<uint64_t>(st.st_size) < size_) {
    return {Step::kRefused,
            fmt::format("{}: has {} bytes, its position says {}", path_, st.st_size, size_)};
  }
  if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0 || ::lseek(fd_, 0, SEEK_END) < 0)
    return failed(path_);
  return {};
}

Reply FileTransport::begin() {
  pending_.clear();
  return {};
}

Reply FileTransport::send(const Delivery& d) {
  pending_.append(d.value);
  if (pending_.empty() || pending_.back() != '\n') pending_.push_back('\n');
  if (pending_.size() < kWriteAtBytes) return {};
  if (!write_all(fd_, pending_)) return failed(path_);
  pending_.clear();
  return {};
}

Reply FileTransport::commit(const Committed& position) {
  if (!write_all(fd_, pending_)) return failed(path_);
  pending_.clear();
  if (::fdatasync(fd_) != 0) return failed(path_);
  const off_t end = ::lseek(fd_, 0, SEEK_END);
  if (end < 0) return failed(path_);
  const uint64_t before = std::exchange(size_, static_cast<uint64_t>(end));
  Reply reply = save_position(position);
  if (!reply.ok()) size_ = before;
  return reply;
}

Reply FileTransport::save_position(const Committed& position) const {
  const std::string temporary = path_ + ".position.new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return failed(temporary);
  const bool written =
      write_all(fd, fmt::format("{} {} {}\n", size_, position.next, to_metadata(position))) &&
      ::fsync(fd) == 0;
  ::close(fd);
  if (!written || ::rename(temporary.c_str(), (path_ + ".position").c_str()) != 0 ||
      !sync_parent(path_))
    return failed(temporary);
  return {};
}

Reply FileTransport::abort() {
  pending_.clear();
  if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0 || ::lseek(fd_, 0, SEEK_END) < 0)
    return failed(path_);
  return {};
}

void FileTransport::disconnect() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  pending_.clear();
}

}  // namespace vong::send
