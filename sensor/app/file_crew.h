// Several workers on one capture. One thread reads and hands every packet to the worker of its two
// hosts (share_out.h); the workers' events come together again in the order of the packets that made
// them. The work goes in rounds: some thousand packets are shared out, each worker does its part, then
// the round's events are written.
//
//   FileCrew crew(plan, shared, output, cells);        // a worker for each cell
//   crew.start();
//   crew.take(batch, file, source.stats()); ...        // in order
//   crew.finish(source.stats());                       // all flows have ended, all is written
//
// What one worker would say comes out, the same in every run, but for rules that count over the
// connections of a host with several others (threshold, detection_filter, host bits, data sets): they
// count in the order in which the workers get there. Records of flows that time out at the same packet
// come worker by worker.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sensor/app/ledger_keeper.h"
#include "sensor/app/metrics.h"
#include "sensor/app/outputs.h"
#include "sensor/app/stats_board.h"
#include "sensor/app/worker.h"

namespace vong::sensor {

class FileCrew {
 public:
  // All must outlive the crew. At least one cell.
  FileCrew(const Plan& plan, detect::SharedState& shared, Output& output, std::span<WorkerCells> cells, StatsBoard* stats = nullptr);
  ~FileCrew();
  FileCrew(const FileCrew&) = delete;
  FileCrew& operator=(const FileCrew&) = delete;

  // Before start().
  [[nodiscard]] std::span<const std::unique_ptr<Worker>> workers() const { return workers_; }
  // Called by the reading thread after each round is written, with all workers' totals as of its end.
  using AfterRound = std::function<void(std::span<WorkerTotals* const> totals, Timestamp first, Timestamp last)>;
  void after_round(AfterRound call) { after_round_ = std::move(call); }
  void start();

  // On the reading thread, packets in order, numbers rising. Copies them. May wait for the workers.
  void take(std::span<const RawPacket> batch, std::string_view file, const capture::CaptureStats& stats);
  // Returns when everything taken is written.
  void flush(const capture::CaptureStats& stats);
  [[nodiscard]] Timestamp last_packet_time() const { return last_; }   // of those taken
  // The end of input: flows end, threads too.
  void finish(const capture::CaptureStats& stats);

 private:
  static constexpr size_t kRounds = 4;               // being filled, worked on, or waiting to be written
  static constexpr size_t kRoundPackets = 4096;
  static constexpr size_t kRoundBytes = 1u << 20;

  // Lines with the packet that made each; packets of other workers let only time pass.
  class Lines final : public emit::LineSink {
   public:
    void line(std::string_view json, const emit::LineInfo& info) override {
      keys_.push_back(key_);
      batch_.line(json, info);
    }
    void at(uint64_t key) { key_ = key; }
    [[nodiscard]] const std::vector<uint64_t>& keys() const { return keys_; }
    [[nodiscard]] const LineBatch& batch() const { return batch_; }
    void clear() {
      keys_.clear();
      batch_.clear();
    }

   private:
    uint64_t key_ = 0;
    std::vector<uint64_t> keys_;
    LineBatch batch_;
  };
  // A worker writes to the round that it is in.
  class Switch final : public emit::LineSink {
   public:
    void line(std::string_view json, const emit::LineInfo& info) override {
      if (info.output == 0) ++made_;
      to_->line(json, info);
    }
    void set(Lines& to) { to_ = &to; }
    [[nodiscard]] uint64_t made() const { return made_; }

   private:
    Lines* to_ = nullptr;
    uint64_t made_ = 0;
  };
  struct Step {
    Timestamp ts;
    uint64_t number;
    uint32_t packet;   // into Part::packets; kOthers: another worker's
  };
  static constexpr uint32_t kOthers = UINT32_MAX;
  struct Part {   // of one worker
    std::vector<uint8_t> bytes;
    std::vector<RawPacket> packets;
    std::vector<Step> steps;
    Lines lines;
    WorkerTotals totals;
  };
  struct Round {
    std::vector<std::unique_ptr<Part>> parts;
    std::string file;
    capture::CaptureStats stats;
    Timestamp first{}, last{};
    size_t packets = 0, bytes = 0;
    bool final = false;
    std::atomic<size_t> open{0};   // parts that are not done yet
  };

  [[nodiscard]] Round& filling() { return rounds_[submitted_.load(std::memory_order_relaxed) % kRounds]; }
  void run(size_t index);
  void work(size_t index, Round& round);
  void add(Round& round, const RawPacket& raw);
  void submit(const capture::CaptureStats& stats, bool final);
  void collect();   // the oldest round that is under way
  void merge(Round& round);

  const Plan& plan_;
  Output& output_;
  std::span<WorkerCells> cells_;
  StatsBoard* stats_board_;   // null: nobody wants their counters
  std::vector<std::unique_ptr<Switch>> sinks_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::array<Round, kRounds> rounds_;
  std::atomic<uint64_t> submitted_{0};
  uint64_t collected_ = 0;
  capture::CaptureStats stats_;   // as of the last batch
  Timestamp first_{}, last_{};
  LineBatch merged_;
  AfterRound after_round_;
};

}  // namespace vong::sensor
