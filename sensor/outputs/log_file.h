// A file of lines that is appended to.
//
// Its name may have conversions of strftime(3) where it is rotated: each interval has a file of its own then; otherwise the same name is
// opened anew at the turn of each interval, for who has moved the file away.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "sensor/outputs/log_target.h"

namespace vong::outputs {

// rotate-interval: "minute", "hour", "day" (their turn by the clock), or a time like "30s", "15m", "12h", "1d".
struct RotateInterval {
  int64_t seconds = 0;       // 0: never
  [[nodiscard]] static std::optional<RotateInterval> parse(std::string_view text);
  // The first turn after `now`: multiples of the interval since 1970, UTC.
  [[nodiscard]] Timestamp next(Timestamp now) const;
};

struct LogFileOptions {
  std::string path;          // "-": standard output
  bool append = true;        // false: emptied at the start
  uint32_t mode = 0640;      // of a new file, under the umask
  RotateInterval rotate;
};

class LogFile final : public LogTarget {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LogFile>> open(LogFileOptions options, Timestamp now);
  ~LogFile() override;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  [[nodiscard]] uint64_t write(std::string_view text, uint64_t lines) override;
  void tick(Timestamp now) override;
  void reopen() override;
  [[nodiscard]] const std::string& name() const override { return options_.path; }

 private:
  explicit LogFile(LogFileOptions options) : options_(std::move(options)) {}
  [[nodiscard]] bool open_file(bool truncate);

  LogFileOptions options_;
  int fd_ = -1;
  bool in_line_ = false;     // the last bytes in the file are a part of a line
  Timestamp now_{}, next_turn_{};
};

// The name at that time: conversions of strftime(3) filled in, UTC. At most 4096 bytes.
[[nodiscard]] std::string expand_time(const std::string& name, Timestamp now);

}  // namespace vong::outputs
