#include "sensor/app/outputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "app_common/clock.h"

namespace vong::sensor {
namespace {

constexpr size_t kFlushBytes = 256 * 1024;
constexpr size_t kDirectBytes = 64 * 1024;   // a batch of so many is written as it is

}  // namespace

Result<std::unique_ptr<FileOutput>> FileOutput::open(const std::string& path, uint8_t output, const outputs::TargetConfig& config, bool waits) {
  auto made = std::unique_ptr<FileOutput>(new FileOutput(path, output, config, waits));
  if (path == "-") {
    made->config_.threaded = false;
    made->config_.type = outputs::TargetConfig::Type::kFile;
  }
  auto target = outputs::open_target(made->config_, path, waits, app::wall_clock(), made->config_.threaded ? 1 : 0);
  if (!target) return std::unexpected(target.error());
  made->parts_[made->config_.threaded ? 1 : 0].target = std::move(*target);
  return made;
}

FileOutput::~FileOutput() {
  for (auto& [worker, part] : parts_) drain(part);
}

// Null: it cannot be opened; error_ says why.
FileOutput::Part* FileOutput::part_of(uint32_t worker) {
  if (!config_.threaded) return &parts_.begin()->second;
  worker = std::clamp<uint32_t>(worker, 1, kFilesMax);
  if (const auto it = parts_.find(worker); it != parts_.end()) return &it->second;
  auto target = outputs::open_target(config_, path_, waits_, app::wall_clock(), worker);
  if (!target) {
    error_ = target.error().message;
    return nullptr;
  }
  Part& part = parts_[worker];
  part.target = std::move(*target);
  return &part;
}

void FileOutput::write(const LineBatch& batch) {
  const uint64_t lines = output_ == 0 ? batch.events() : static_cast<uint64_t>(std::count_if(batch.lines().begin(), batch.lines().end(), [&](const auto& l) { return l.output == output_; }));
  if (lines == 0) return;
  lines_in_ += lines;
  if (Part* part = part_of(batch.worker()); part != nullptr) {
    part->lines += lines;
    if (part->buffer.empty() && batch.size_bytes() >= kDirectBytes && takes_whole(batch)) {
      drain(*part, batch.text());
      return;
    }
    add(*part, batch);
    if (part->buffer.size() >= kFlushBytes) drain(*part);
    return;
  }
  lines_lost_ += lines;
  lost_ever_.add(lines);
}

bool FileOutput::takes_whole(const LineBatch& batch) const { return output_ == 0 && batch.further() == 0 && config_.prefix.empty(); }

void FileOutput::add(Part& part, const LineBatch& batch) {
  if (takes_whole(batch)) {
    part.buffer.append(batch.text());
    return;
  }
  for (const auto& line : batch.lines()) {
    if (line.output == output_) part.buffer.append(config_.prefix).append(batch.view(line)).push_back('\n');
  }
}

void FileOutput::drain(Part& part) {
  drain(part, part.buffer);
  part.buffer.clear();
}

void FileOutput::drain(Part& part, std::string_view text) {
  if (part.lines == 0) return;
  const uint64_t lost = part.target->write(text, part.lines);
  if (lost > 0) error_ = part.target->error();
  lines_lost_ += lost;
  lost_ever_.add(lost);
  part.lines = 0;
}

void FileOutput::add_to(ledger::Totals& totals) const {
  if (output_ != 0) return;
  ledger::HopTotals& hop = totals[ledger::Hop::kFile];
  uint64_t held = 0;
  for (const auto& [worker, part] : parts_) held += part.lines;
  hop.present = true;
  hop.in = lines_in_;
  hop.held = held;
  hop[ledger::Reason::kDiskError] = lost_ever_.value();
  hop.out = lines_in_ - held - lost_ever_.value();
}

void FileOutput::reopen() {
  for (auto& [worker, part] : parts_) {
    drain(part);
    part.target->reopen();
  }
}

Result<> FileOutput::flush() {
  const Timestamp now = app::wall_clock();
  for (auto& [worker, part] : parts_) {
    drain(part);
    part.target->tick(now);
  }
  if (error_.empty() && lines_lost_ == 0) return {};
  auto message = fmt::format("cannot write {}: {}, {} events lost", path_ == "-" ? "standard output" : path_, error_, lines_lost_);
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

void Output::reopen() {
  const std::lock_guard lock(mutex_);
  for (auto& sink : sinks_) sink->reopen();
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
