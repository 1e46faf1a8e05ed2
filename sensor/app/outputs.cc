#include "sensor/app/outputs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vong::sensor {
namespace {

constexpr size_t kFlushBytes = 256 * 1024;

}  // namespace

Result<std::unique_ptr<FileOutput>> FileOutput::open(const std::string& path, uint8_t output) {
  if (path == "-")
    return std::unique_ptr<FileOutput>(new FileOutput(STDOUT_FILENO, "standard output", output));
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return std::unique_ptr<FileOutput>(new FileOutput(fd, path, output));
}

FileOutput::~FileOutput() {
  drain();
  if (fd_ != STDOUT_FILENO) ::close(fd_);
}

void FileOutput::write(const LineBatch& batch) {
  if (output_ == 0 && batch.further() == 0) {
    buffer_.append(batch.text());
    lines_buffered_ += batch.lines().size();
    lines_in_ += batch.lines().size();
  } else {
    for (const auto& line : batch.lines()) {
      if (line.output != output_) continue;
      buffer_.append(batch.view(line)).push_back('\n');
      ++lines_buffered_;
      ++lines_in_;
    }
  }
  if (buffer_.size() >= kFlushBytes) drain();
}

void FileOutput::drain() {
  size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else {
      error_ = std::strerror(errno);
      const auto written = buffer_.begin() + static_cast<std::ptrdiff_t>(done);
      const uint64_t lost = lines_buffered_ - static_cast<uint64_t>(std::count(buffer_.begin(), written, '\n'));
      lines_lost_ += lost;
      lines_lost_ever_ += lost;
      break;
    }
  }
  buffer_.clear();
  lines_buffered_ = 0;
}

void FileOutput::add_to(ledger::Totals& totals) const {
  if (output_ != 0) return;
  ledger::HopTotals& hop = totals[ledger::Hop::kFile];
  hop.present = true;
  hop.in = lines_in_;
  hop.held = lines_buffered_;
  hop[ledger::Reason::kDiskError] = lines_lost_ever_;
  hop.out = lines_in_ - lines_buffered_ - lines_lost_ever_;
}

Result<> FileOutput::flush() {
  drain();
  if (error_.empty()) return {};
  auto message = fmt::format("cannot write {}: {}, {} events lost", path_, error_, lines_lost_);
  error_.clear();
  lines_lost_ = 0;
  return fail(std::move(message));
}

void LineBatch::spill() { spill_to_->write(*this); }

void Output::write(LineBatch& batch) {
  if (batch.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (auto& sink : sinks_) sink->write(batch);
    events_ += batch.events();
  }
  batch.clear();
}

void Output::write_own(LineBatch& batch) {
  if (batch.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (auto& sink : sinks_) sink->write_own(batch);
  }
  batch.clear();
}

void Output::set_ruleset(const std::string& ruleset) {
  const std::lock_guard lock(mutex_);
  for (auto& sink : sinks_) sink->set_ruleset(ruleset);
}

void Output::add_to(ledger::Totals& totals) const {
  const std::lock_guard lock(mutex_);
  ledger::HopTotals& emit = totals[ledger::Hop::kEmit];
  emit.present = true;
  // Workers say a little later than the outputs how many events they made: what was handed over was made.
  const uint64_t shed = emit.sum(ledger::Kind::kDropped);
  emit.in = std::max(emit.in, events_ + shed);
  emit.out = events_;
  emit.held = emit.in - emit.out - shed;
  for (const auto& sink : sinks_) sink->add_to(totals);
}

Result<> Output::flush() {
  const std::lock_guard lock(mutex_);
  Result<> result;
  for (auto& sink : sinks_) {
    if (auto flushed = sink->flush(); !flushed && result) result = std::move(flushed);
  }
  return result;
}

Result<> Output::close(std::chrono::milliseconds timeout) {
  const std::lock_guard lock(mutex_);
  Result<> result;
  for (auto& sink : sinks_) {
    if (auto closed = sink->close(timeout); !closed && result) result = std::move(closed);
  }
  return result;
}

}  // namespace vong::sensor
