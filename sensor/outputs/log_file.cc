#include "sensor/outputs/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>

#include "fmt/format.h"

namespace vong::outputs {
namespace {

constexpr size_t kNameBytesMax = 4096;
constexpr int64_t kMinute = 60, kHour = 3600, kDay = 86'400;
constexpr int64_t kLongestSeconds = 366 * kDay;

}  // namespace

std::optional<RotateInterval> RotateInterval::parse(std::string_view text) {
  if (text == "minute") return RotateInterval{kMinute};
  if (text == "hour") return RotateInterval{kHour};
  if (text == "day") return RotateInterval{kDay};
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || number < 1 || number > kLongestSeconds) return std::nullopt;
  const int64_t seconds = unit.empty() || unit == "s" ? 1 : unit == "m" ? kMinute : unit == "h" ? kHour : unit == "d" ? kDay : 0;
  if (seconds == 0 || number * seconds > kLongestSeconds) return std::nullopt;
  return RotateInterval{number * seconds};
}

Timestamp RotateInterval::next(Timestamp now) const {
  const int64_t s = to_ns(now) / 1'000'000'000;
  return Timestamp(std::chrono::seconds((s / seconds + 1) * seconds));
}

std::string expand_time(const std::string& name, Timestamp now) {
  if (name.find('%') == std::string::npos) return name;
  const std::time_t seconds = to_ns(now) / 1'000'000'000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, kNameBytesMax> out;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const size_t n = std::strftime(out.data(), out.size(), name.c_str(), &utc);
#pragma GCC diagnostic pop
  return n == 0 ? name : std::string(out.data(), n);
}

Result<std::unique_ptr<LogFile>> LogFile::open(LogFileOptions options, Timestamp now) {
  auto file = std::unique_ptr<LogFile>(new LogFile(std::move(options)));
  file->now_ = now;
  if (file->options_.rotate.seconds > 0) file->next_turn_ = file->options_.rotate.next(now);
  if (!file->open_file(!file->options_.append)) return fail(fmt::format("cannot write {}: {}", file->options_.path, file->error_));
  return file;
}

LogFile::~LogFile() {
  if (fd_ >= 0 && fd_ != STDOUT_FILENO) ::close(fd_);
}

bool LogFile::open_file(bool truncate) {
  if (options_.path == "-") {
    fd_ = STDOUT_FILENO;
    return true;
  }
  const std::string path = options_.rotate.seconds > 0 ? expand_time(options_.path, now_) : options_.path;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (truncate ? O_TRUNC : 0), static_cast<mode_t>(options_.mode));
  if (fd_ < 0) error_ = std::strerror(errno);
  in_line_ = false;
  return fd_ >= 0;
}

uint64_t LogFile::write(std::string_view text, uint64_t lines) {
  if (text.empty()) return 0;
  if (fd_ < 0 && !open_file(false)) return lines;
  if (in_line_) {
    if (::write(fd_, "\n", 1) != 1) {
      error_ = std::strerror(errno);
      return lines;
    }
    in_line_ = false;
  }
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      error_ = std::strerror(errno);
      break;
    }
    done += static_cast<size_t>(n);
  }
  if (done == text.size()) return 0;
  in_line_ = done > 0 && text[done - 1] != '\n';
  return lines - static_cast<uint64_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(done), '\n'));
}

void LogFile::tick(Timestamp now) {
  now_ = now;
  if (options_.rotate.seconds == 0 || now < next_turn_) return;
  next_turn_ = options_.rotate.next(now);
  reopen();
}

void LogFile::reopen() {
  if (options_.path == "-") return;
  const int before = fd_;
  if (open_file(false)) {
    if (before >= 0) ::close(before);
  } else {
    fd_ = before;   // better the old file than none
  }
}

}  // namespace vong::outputs
