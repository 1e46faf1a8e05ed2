// Where a sensor's events go: eve.json in a folder, standard output, and the spool in front of
// Kafka.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/emit/line_sink.h"

namespace vong::sensor {

// Lines to a file descriptor through a buffer. One thread. A write that fails is counted and
// reported once by healthy().
class FileSink : public emit::LineSink {
 public:
  [[nodiscard]] static Result<std::unique_ptr<FileSink>> open(
      const std::string& path);  // appends; "-" is stdout
  ~FileSink() override;

  void line(std::string_view json, const emit::LineInfo& info) override;
  // Hands the buffer to the kernel. False once a write has failed: those lines are lost and
  // counted.
  bool flush();
  [[nodiscard]] uint64_t lines_lost() const { return lines_lost_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  FileSink(int fd, std::string path);

  int fd_;
  std::string path_, buffer_, error_;
  uint64_t lines_buffered_ = 0, lines_lost_ = 0;
};

// The same lines to several sinks.
class FanOut : public emit::LineSink {
 public:
  void add(std::unique_ptr<emit::LineSink> sink) { sinks_.push_back(std::move(sink)); }
  void line(std::string_view json, const emit::LineInfo& info) override {
    for (auto& sink : sinks_) sink->line(json, info);
  }

 private:
  std::vector<std::unique_ptr<emit::LineSink>> sinks_;
};

}  // namespace vong::sensor
