#include "sensor/app/ledger_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "telemetry/ledger/verify.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kTailBytes = 256 << 10;  // a record is much smaller
// Of lines that wait for a disk; then the oldest go, and the check will say so.
constexpr size_t kMaxPendingBytes = 1 << 20;

Result<> failed(const std::string& path, const char* what) {
  return fail(fmt::format("{}: {}: {}", path, what, std::strerror(errno)));
}

// The end of the file, at most kTailBytes of it.
std::string read_tail(int fd, uint64_t size) {
  std::string tail(std::min(size, kTailBytes), '\0');
  const ssize_t n = ::pread(fd, tail.data(), tail.size(), static_cast<off_t>(size - tail.size()));
  tail.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return tail;
}

}  // namespace

LedgerFile::LedgerFile(LedgerFile&& other) noexcept
    : options_(std::move(other.options_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      torn_(other.torn_),
      pending_(std::move(other.pending_)) {}

LedgerFile::~LedgerFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> LedgerFile::reopen() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd_ < 0) return failed(options_.path, "cannot open");
  struct stat about {};
  if (::fstat(fd_, &about) != 0) return failed(options_.path, "cannot read its size");
  size_ = static_cast<uint64_t>(about.st_size);
  if (size_ == 0 && torn_) {  // the beginning of that line is gone with the file it stood in
    pending_.erase(0, pending_.find('\n') + 1);
    torn_ = false;
  }
  return {};
}

Result<LedgerFile> LedgerFile::open(Options options, const std::string& sensor,
                                    ledger::Chain& chain, std::string& note) {
  LedgerFile file(std::move(options));
  if (auto opened = file.reopen(); !opened) return std::unexpected(opened.error());
  chain = {};
  if (file.size_ == 0) return file;
  std::string tail = read_tail(file.fd_, file.size_);
  if (!tail.empty() && tail.back() != '\n') {
    const size_t end = tail.rfind('\n');
    const size_t torn = tail.size() - (end == std::string::npos ? 0 : end + 1);
    note = fmt::format("{}: {} bytes of a record that was not finished are cut off",
                       file.options_.path, torn);
    if (::ftruncate(file.fd_, static_cast<off_t>(file.size_ - torn)) != 0) {
      auto error = failed(file.options_.path, "cannot cut off");
      return std::unexpected(error.error());
    }
    file.size_ -= torn;
    tail.resize(tail.size() - torn);
  }
  if (tail.empty()) return file;
  tail.pop_back();
  const size_t before = tail.rfind('\n');
  const std::string_view line =
      std::string_view(tail).substr(before == std::string::npos ? 0 : before + 1);
  std::string problem;
  const auto last = ledger::parse_record(line, problem);
  if (last && last->sensor == sensor) {
    chain = {last->number + 1, ledger::digest_of(line)};
    return file;
  }
  note = fmt::format("{}: its last record {}: put aside, a new chain begins", file.options_.path,
                     last ? "is of another sensor" : problem);
  if (auto moved = file.put_aside(fmt::format("before-{}", ::time(nullptr))); !moved)
    return std::unexpected(moved.error());
  return file;
}

Result<> LedgerFile::put_aside(const std::string& suffix) {
  const fs::path path(options_.path);
  const fs::path aside = path.parent_path() / fmt::format("{}-{}{}", path.stem().string(), suffix,
                                                          path.extension().string());
  if (::rename(options_.path.c_str(), aside.c_str()) != 0)
    return failed(options_.path, "cannot put it aside");
  return reopen();
}

void LedgerFile::remove_oldest() const {
  const fs::path path(options_.path);
  const std::string begins = path.stem().string() + "-", ends = path.extension().string();
  std::vector<std::string> aside;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(
           path.parent_path().empty() ? fs::path(".") : path.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= begins.size() + ends.size() || !name.starts_with(begins) ||
        !name.ends_with(ends))
      continue;
    const std::string_view number =
        std::string_view(name).substr(begins.size(), name.size() - begins.size() - ends.size());
    if (number.find_first_not_of("0123456789") == std::string_view::npos)
      aside.push_back(entry.path().string());
  }
  std::sort(aside.begin(), aside.end());  // by number: they all have the same width
  for (size_t i = 0; i + options_.files_max < aside.size(); ++i) fs::remove(aside[i], error);
}

// Behind the rest of a line whose beginning is in the file: that one has to end before another
// begins.
void LedgerFile::hold(std::string_view line) {
  const size_t rest = torn_ ? pending_.find('\n') + 1 : 0;
  size_t gone = rest;
  while (gone < pending_.size() &&
         pending_.size() - (gone - rest) + line.size() >= kMaxPendingBytes)
    gone = pending_.find('\n', gone) + 1;
  pending_.erase(rest, gone - rest);
  pending_.append(line);
  pending_.push_back('\n');
}

// Nobody can read it any more: removed, or with its folder.
bool LedgerFile::is_removed() const {
  struct stat about {};
  return ::fstat(fd_, &about) == 0 && about.st_nlink == 0;
}

Result<> LedgerFile::append(std::string_view line, uint64_t number) {
  const bool alone = pending_.empty();
  hold(line);
  if (fd_ < 0 || is_removed()) {
    if (auto opened = reopen(); !opened) return opened;
  }
  Result<> rotated;
  if (alone && size_ > 0 && size_ + line.size() > options_.bytes_max) {
    rotated = put_aside(fmt::format("{:012}", number - 1));
    if (rotated) remove_oldest();
    if (fd_ < 0) return rotated;  // else the file that could not be put aside grows
  }
  size_t done = 0;
  while (done < pending_.size()) {
    const ssize_t n = ::write(fd_, pending_.data() + done, pending_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
    size_ += static_cast<uint64_t>(n);
  }
  if (done > 0) torn_ = pending_[done - 1] != '\n';
  pending_.erase(0, done);
  if (!pending_.empty()) return failed(options_.path, "cannot write");
  if (::fdatasync(fd_) != 0) return failed(options_.path, "cannot sync");
  return rotated;
}

}  // namespace vong::sensor
