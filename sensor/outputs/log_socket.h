// Lines to a UNIX socket: a datagram a line, or a stream. Never waits: what the receiver does not take at once is lost and counted.
#pragma once

#include "base/result.h"
#include "sensor/outputs/log_target.h"

namespace vong::outputs {

class LogSocket final : public LogTarget {
 public:
  enum class Kind : uint8_t { kDatagram, kStream };
  // A receiver that is not there yet is no error: it is tried again, at most once a second of tick()'s clock. `waits`: a full receiver is
  // waited for (reading files), at most five seconds a call.
  [[nodiscard]] static Result<std::unique_ptr<LogSocket>> open(Kind kind, std::string path, bool waits);
  ~LogSocket() override;
  LogSocket(const LogSocket&) = delete;
  LogSocket& operator=(const LogSocket&) = delete;

  [[nodiscard]] uint64_t write(std::string_view text, uint64_t lines) override;
  void tick(Timestamp now) override;
  [[nodiscard]] const std::string& name() const override { return path_; }

 private:
  LogSocket(Kind kind, std::string path, bool waits) : kind_(kind), path_(std::move(path)), waits_(waits) {}
  [[nodiscard]] bool connect();
  [[nodiscard]] bool send(std::string_view piece);
  void close();

  Kind kind_;
  std::string path_;
  bool waits_;
  int fd_ = -1;
  std::string rest_;          // of a stream: the end of a line whose beginning is sent; it goes first
  Timestamp tried_{};
};

}  // namespace vong::outputs
