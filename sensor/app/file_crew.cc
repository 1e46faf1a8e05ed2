#include "sensor/app/file_crew.h"

#include <algorithm>
#include <cassert>

#include "sensor/app/share_out.h"

namespace vong::sensor {
namespace {

// What a worker says while it handles its own packet comes after what others say of the time that it tells them.
constexpr uint64_t key_of(uint64_t number, bool own) { return number * 2 + (own ? 1 : 0); }
constexpr uint64_t kAtTheEnd = UINT64_MAX;

}  // namespace

FileCrew::FileCrew(const Plan& plan, detect::SharedState& shared, Output& output, std::span<WorkerCells> cells, StatsBoard* stats)
    : plan_(plan), output_(output), cells_(cells), stats_board_(stats), merged_(output) {
  for (size_t i = 0; i < cells.size(); ++i) {
    sinks_.push_back(std::make_unique<Switch>());
    workers_.push_back(std::make_unique<Worker>(plan, shared, *sinks_.back()));
  }
  for (Round& round : rounds_) {
    for (size_t i = 0; i < cells.size(); ++i) round.parts.push_back(std::make_unique<Part>());
  }
}

FileCrew::~FileCrew() {
  if (!threads_.empty()) finish({});
}

void FileCrew::start() {
  for (size_t i = 0; i < workers_.size(); ++i) threads_.emplace_back([this, i] { run(i); });
}

// --- the reading thread

void FileCrew::take(std::span<const RawPacket> batch, std::string_view file, const capture::CaptureStats& stats) {
  if (filling().packets != 0 && filling().file != file) submit(stats_, false);
  Round& round = filling();
  round.file = file;
  for (const RawPacket& raw : batch) add(round, raw);
  stats_ = stats;   // the books balance where a batch ends
  if (round.packets >= kRoundPackets || round.bytes >= kRoundBytes) submit(stats, false);
}

void FileCrew::add(Round& round, const RawPacket& raw) {
  if (first_ == Timestamp{}) first_ = raw.ts;
  last_ = std::max(last_, raw.ts);
  ++round.packets;
  round.bytes += raw.data.size();
  const size_t owner = address_pair_hash(raw) % round.parts.size();
  for (size_t i = 0; i < round.parts.size(); ++i) {
    Part& part = *round.parts[i];
    if (i != owner) {
      part.steps.push_back({raw.ts, raw.number, kOthers});
      continue;
    }
    part.steps.push_back({raw.ts, raw.number, static_cast<uint32_t>(part.packets.size())});
    part.packets.push_back(raw);   // its bytes are found again when all are there
    part.bytes.insert(part.bytes.end(), raw.data.begin(), raw.data.end());
  }
}

void FileCrew::submit(const capture::CaptureStats& stats, bool final) {
  Round& round = filling();
  round.stats = stats;
  round.first = first_;
  round.last = last_;
  round.final = final;
  for (auto& part : round.parts) {
    const uint8_t* at = part->bytes.data();
    for (RawPacket& raw : part->packets) {
      raw.data = Bytes(at, raw.data.size());
      at += raw.data.size();
    }
  }
  round.open.store(round.parts.size(), std::memory_order_relaxed);
  submitted_.fetch_add(1, std::memory_order_release);
  submitted_.notify_all();
  // The next slot has to be empty.
  if (submitted_.load(std::memory_order_relaxed) - collected_ >= kRounds) collect();
}

void FileCrew::collect() {
  Round& round = rounds_[collected_ % kRounds];
  for (size_t open = round.open.load(std::memory_order_acquire); open != 0; open = round.open.load(std::memory_order_acquire))
    round.open.wait(open, std::memory_order_acquire);
  merge(round);
  if (after_round_) {
    std::vector<WorkerTotals*> totals;
    for (auto& part : round.parts) totals.push_back(&part->totals);
    after_round_(totals, round.first, round.last);
  }
  for (auto& part : round.parts) {
    part->bytes.clear();
    part->packets.clear();
    part->steps.clear();
    part->lines.clear();
  }
  round.packets = round.bytes = 0;
  ++collected_;
}

void FileCrew::merge(Round& round) {
  std::vector<size_t> at(round.parts.size(), 0);
  while (true) {
    size_t next = at.size();
    for (size_t i = 0; i < at.size(); ++i) {
      const auto& keys = round.parts[i]->lines.keys();
      if (at[i] == keys.size()) continue;
      if (next == at.size() || keys[at[i]] < round.parts[next]->lines.keys()[at[next]]) next = i;
    }
    if (next == at.size()) break;
    const LineBatch& from = round.parts[next]->lines.batch();
    const LineBatch::Line& line = from.lines()[at[next]++];
    merged_.line(from.view(line), {line.event_type, line.severity, line.flow_id, line.output});
  }
  output_.write(merged_);
}

void FileCrew::flush(const capture::CaptureStats& stats) {
  if (filling().packets != 0) submit(stats, false);
  while (collected_ != submitted_.load(std::memory_order_relaxed)) collect();
}

void FileCrew::finish(const capture::CaptureStats& stats) {
  submit(stats, true);
  while (collected_ != submitted_.load(std::memory_order_relaxed)) collect();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

// --- a worker's thread

void FileCrew::run(size_t index) {
  for (uint64_t n = 0;; ++n) {
    for (uint64_t there = submitted_.load(std::memory_order_acquire); there <= n; there = submitted_.load(std::memory_order_acquire))
      submitted_.wait(there, std::memory_order_acquire);
    Round& round = rounds_[n % kRounds];
    const bool final = round.final;
    work(index, round);
    if (round.open.fetch_sub(1, std::memory_order_acq_rel) == 1) round.open.notify_all();
    if (final) return;
  }
}

void FileCrew::work(size_t index, Round& round) {
  Part& part = *round.parts[index];
  Worker& worker = *workers_[index];
  sinks_[index]->set(part.lines);
  worker.set_capture_file(round.file);
  for (const Step& step : part.steps) {
    const bool own = step.packet != kOthers;
    part.lines.at(key_of(step.number, own));
    if (own) worker.process(part.packets[step.packet]);
    else worker.tick(step.ts);
  }
  if (round.final) {
    part.lines.at(kAtTheEnd);
    worker.finish();
    if (stats_board_ != nullptr) stats_board_->publish(index, worker);
  }
  // What capture counted stands with the first worker.
  const capture::CaptureStats stats = index == 0 ? round.stats : capture::CaptureStats{};
  part.totals.publish(worker, stats, sinks_[index]->made(), round.final);
  publish(worker, stats, cells_[index]);
}

}  // namespace vong::sensor
