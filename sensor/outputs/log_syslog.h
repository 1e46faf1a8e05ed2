// Lines to the local syslog (RFC 3164's form, through /dev/log): a message a line. Never waits, as LogSocket.
#pragma once

#include <optional>

#include "sensor/outputs/log_socket.h"

namespace vong::outputs {

struct SyslogOptions {
  std::string identity = "vong-sensor";
  int facility = 21;   // local5
  int level = 6;       // info
  std::string socket = "/dev/log";
  // Names as suricata.yaml has them: "local5", "Info"; none: there is no such name.
  [[nodiscard]] static std::optional<int> facility_by_name(std::string_view name);
  [[nodiscard]] static std::optional<int> level_by_name(std::string_view name);
};

class LogSyslog final : public LogTarget {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LogSyslog>> open(SyslogOptions options, bool waits, Timestamp now);
  [[nodiscard]] uint64_t write(std::string_view text, uint64_t lines) override;
  void tick(Timestamp now) override;
  [[nodiscard]] const std::string& name() const override { return socket_->name(); }

 private:
  LogSyslog(SyslogOptions options, std::unique_ptr<LogSocket> socket, Timestamp now) : options_(std::move(options)), socket_(std::move(socket)), now_(now) {}

  SyslogOptions options_;
  std::unique_ptr<LogSocket> socket_;
  Timestamp now_;
  std::string message_;
};

}  // namespace vong::outputs
