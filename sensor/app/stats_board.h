// The stats records: what all workers have counted, brought together, every stats.interval while live and at the end; to the EVE outputs that
// have `stats` on, and to stats.log (outputs[].stats) in its form:
//
//     ------------------------------------------------------------------------------------
//     Date: 1/31/2024 -- 12:00:00 (uptime: 0d, 00h 00m 08s)
//     ------------------------------------------------------------------------------------
//     Counter                                       | TM Name                   | Value
//     ------------------------------------------------------------------------------------
//     decoder.pkts                                  | Total                     | 40
//
// publish() by each worker for itself, the rest by one thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sensor/app/outputs.h"
#include "sensor/app/stats.h"

namespace vong::sensor {

class StatsBoard {
 public:
  // Opens stats.log below `folder` where the configuration has it. `plan` and `output` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<StatsBoard>> open(const Plan& plan, const std::string& folder, Output& output, size_t workers);

  [[nodiscard]] bool wanted() const { return eve_ != nullptr || log_ != nullptr; }
  [[nodiscard]] Duration interval() const { return interval_; }
  // `worker`: from 0 on.
  void publish(size_t worker, const Worker& of);

  // Live, once a second: writes when the interval is over.
  void tick(Timestamp now);
  // Now. The uptime is that since `start`.
  void write(Timestamp now);
  void set_start(Timestamp start) { start_ = last_ = start; }
  void reopen();
  // The counters as last published, as the record's object has them; empty: nobody wants them.
  [[nodiscard]] std::string json(Timestamp now);
  [[nodiscard]] uint64_t lost_lines() const { return lost_; }

 private:
  struct Log {
    std::unique_ptr<outputs::LogTarget> target;
    bool totals, threads, zeros;
  };
  StatsBoard(const Plan& plan, Output& output, size_t workers);
  [[nodiscard]] uint64_t uptime_s(Timestamp now) const;
  [[nodiscard]] std::string body(const StatsCounters& total, bool zeros, uint64_t uptime_s) const;
  void write_eve(const StatsCounters& total, Timestamp now, uint64_t uptime_s);
  void write_log(const StatsCounters& total, const std::vector<StatsCounters>& all, Timestamp now, uint64_t uptime_s);

  const Plan& plan_;
  Output& output_;
  const emit::EveConfig* eve_ = nullptr;   // whose null-values count
  std::unique_ptr<Log> log_;
  LineBatch lines_;
  std::unique_ptr<emit::Emitter> emitter_;
  Duration interval_;
  Timestamp start_{}, last_{};
  std::mutex mutex_;
  std::vector<StatsCounters> published_;   // by worker
  uint64_t lost_ = 0;
};

// Of several workers: sums, but for sizes of what they share and for maxima.
[[nodiscard]] StatsCounters sum_stats(const std::vector<StatsCounters>& all);

// The inside of the record's object, without `detect.engines`.
[[nodiscard]] std::string stats_json(const StatsCounters& counters, bool zeros);

}  // namespace vong::sensor
