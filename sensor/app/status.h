// What the sensor says of itself every minute: version, rules in force, uptime, clock, load of each
// worker, what was lost, spool, interfaces. One JSON object (events/schema/status.schema.json), in
// status.json in the log folder and, where there is a spool, in its folder: who forwards the spool
// sends it to the topic vong.status.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/settings.h"
#include "base/timestamp.h"
#include "sensor/app/ledger_keeper.h"
#include "sensor/app/reload.h"

namespace vong::sensor {

// Of the clock that runs this machine, as its kernel says.
struct ClockState {
  bool synchronised = false;
  int64_t offset_us = 0, error_us = 0;  // estimated; of the largest possible
};
[[nodiscard]] ClockState clock_state();

struct WorkerStatus {
  std::string interface;
  double load = 0;  // part of a core since the last status, 0 to 1
  capture::CaptureStats capture;
};

struct StatusInput {
  Timestamp now{}, start{};
  const RulesInForce::State* rules = nullptr;
  uint64_t reloads_done = 0, reloads_refused = 0;
  std::vector<WorkerStatus> workers;
  ledger::Totals totals;
  uint64_t spool_bytes = 0, spool_bytes_max = 0;  // 0: no spool
  struct Forwarding {
    double oldest_unsent_seconds = 0;
    bool connected = false;
  };
  std::optional<Forwarding> forwarding;  // none: another program sends what is in the spool
  std::string overload_step = "none";
  ClockState clock;
  Memory memory;
};

class StatusBoard {
 public:
  // By status.*. `folder` "-": none.
  StatusBoard(const Settings& settings, const std::string& folder);

  [[nodiscard]] bool due(Timestamp now) const {
    return enabled_ && (last_ == Timestamp{} || now - last_ >= interval_ || now < last_);
  }
  // Writes the files, each whole or not at all. What cannot be written is said in the log.
  void write(const StatusInput& input);

 private:
  bool enabled_ = true;
  Duration interval_{};
  std::string sensor_, agency_;
  std::vector<std::string> paths_;
  Timestamp last_{};
};

[[nodiscard]] std::string status_json(const StatusInput& input, const std::string& sensor,
                                      const std::string& agency, Duration interval);
// The same for people; nothing for what is no status.
[[nodiscard]] std::string status_text(std::string_view json, Timestamp now,
                                      const std::string& wanted_ruleset, bool vietnamese = false);

}  // namespace vong::sensor
