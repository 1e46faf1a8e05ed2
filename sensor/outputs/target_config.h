// From a section of `outputs` to the target of its lines.
#pragma once

#include "base/settings.h"
#include "sensor/outputs/log_file.h"
#include "sensor/outputs/log_syslog.h"

namespace vong::outputs {

struct TargetConfig {
  enum class Type : uint8_t { kFile, kDatagram, kStream, kSyslog } type = Type::kFile;
  bool append = true;
  uint32_t mode = 0640;
  RotateInterval rotate;
  bool threaded = false;       // a file a worker
  std::string prefix;          // stands before every line
  SyslogOptions syslog;

  // filetype, append, filemode, rotate-interval, threaded, prefix, identity, facility, level below `path`. An error names the key.
  [[nodiscard]] static Result<TargetConfig> from(const Settings& settings, const std::string& path);
};

// `path`: of the file or socket. `worker`: with `threaded`, whose file it is ("eve.json" -> "eve.3.json"); 0: the one for all.
[[nodiscard]] Result<std::unique_ptr<LogTarget>> open_target(const TargetConfig& config, const std::string& path, bool waits, Timestamp now, uint32_t worker = 0);

}  // namespace vong::outputs
