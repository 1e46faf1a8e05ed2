// Who watches, and how much of the time: from what sensors say of themselves (vong.status) and what
// the registry declares, a record for each agency and one for the nation, every hour (or another
// interval) of the sensors' time. Beside the correlation, never within it: a sensor's clock does not move events.
//
// The four layers: force (people on site), watch (a SOC), check (by somebody independent), share
// (connected with the centre). Declared is what the registry says. Measured is
//   force   a verdict of the agency within 30 days
//   watch   its sensors were heard of for 95 % of the last 24 hours, with the wanted rules in force
//   check   the declared check is not older than a year
//   share   a sensor of it is alive, and its policy lets it take part
//
// Single thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "correlator/enrich/registry.h"

namespace vong::coverage {

struct Status {
  std::string sensor, agency, rules_hash;
  int64_t time_ns = 0, interval_ns = 60'000'000'000;
  uint64_t packets = 0, dropped = 0, not_inspected = 0;  // since its start
  uint64_t unsent_events = 0, oldest_unsent_seconds = 0;
  std::string start;
};
// The record of vong.status (events/schema/status.schema.json). The error is a phrase for the dead
// letter.
[[nodiscard]] Result<Status> read_status(std::string_view json);

struct Summary {
  size_t sensors_registered = 0, sensors_alive = 0;
  size_t agencies = 0, agencies_complete = 0;  // with four measured layers
  [[nodiscard]] int64_t national_percent() const {
    return agencies == 0 ? 0 : static_cast<int64_t>(100 * agencies_complete / agencies);
  }
};

inline constexpr int64_t kReportInterval = 3'600'000'000'000;  // ns

class Board {
 public:
  // Told each record: the key (an agency's id, or "nation") and its JSON
  // (events/schema/coverage.schema.json).
  using Sink = std::function<void(std::string_view key, std::string_view json)>;

  // `wanted_rules`: the hash that every sensor should run; empty: any. The registry must outlive
  // it. Reports stand on whole multiples of `interval_ns`.
  Board(const enrich::Registry& registry, std::string wanted_rules, Sink sink,
        int64_t interval_ns = kReportInterval);

  // False: nobody knows this sensor. An older status than the last one is passed over.
  bool on_status(const Status& status);
  void on_verdict(enrich::AgencyIndex agency, int64_t time_ns);
  // A record for everybody as of the newest status; nothing when there was none.
  void report();
  [[nodiscard]] Summary summary() const;

 private:
  static constexpr size_t kMinutes = 24 * 60;
  struct Sensor {
    enrich::AgencyIndex agency = enrich::kNoAgency;
    Status last;
    std::bitset<kMinutes> minutes;  // heard of, by minute of the day
    int64_t newest_minute = -1;
    uint64_t packets = 0, dropped = 0, not_inspected = 0;  // since the last report
  };
  struct Figures;
  [[nodiscard]] std::vector<Figures> figures() const;  // by agency, as of the newest status
  [[nodiscard]] bool ended(enrich::AgencyIndex agency) const;
  [[nodiscard]] bool alive(const Sensor& sensor) const;
  [[nodiscard]] double hours_of(const Sensor& sensor) const;
  void write(enrich::AgencyIndex agency, const Figures& figures);
  void write_nation(const std::vector<Figures>& all);
  void mark(Sensor& sensor, int64_t from_ns, int64_t to_ns);

  const enrich::Registry& registry_;
  std::string wanted_rules_;
  int64_t interval_ns_;
  Sink sink_;
  std::map<std::string, Sensor, std::less<>> sensors_;
  std::vector<int64_t> last_verdict_ns_;  // by agency
  int64_t now_ns_ = INT64_MIN, next_report_ns_ = INT64_MAX;
  std::string json_;
};

}  // namespace vong::coverage
