// Checks ledger records, line by line: whole, chained, balanced within each hop and from hop to
// hop. Pure: lines in, findings out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/ledger/ledger.h"

namespace vong::ledger {

// What a line says.
struct Record {
  std::string sensor, start, from, to, previous;
  uint64_t number = 0;
  bool first_of_run = false, last_of_run = false;
  struct HopCounts : HopTotals {  // of the interval; `held` at its end
    uint64_t held_before = 0;
  };
  std::array<HopCounts, kHops> hops;
};
// The record, or what is wrong with the line.
[[nodiscard]] std::optional<Record> parse_record(std::string_view line, std::string& problem);

// Sums over what was checked.
struct Summary {
  uint64_t records = 0, runs = 0, unclean_ends = 0;
  std::string first_previous;  // not empty: the records begin in the middle of a chain
  std::array<uint64_t, kHops> in{};
  std::array<uint64_t, kReasons> reasons{};
};

class Verifier {
 public:
  // The next line, without its newline. What is wrong with it, in one sentence; nothing when all is
  // well. After a finding no further line means anything.
  [[nodiscard]] std::optional<std::string> add(std::string_view line);
  [[nodiscard]] const Summary& summary() const { return summary_; }
  // The last record is the end of a run: the sensor has said all it knows.
  [[nodiscard]] bool ended() const { return !before_ || before_->last_of_run; }

 private:
  [[nodiscard]] std::optional<std::string> check_chain(const Record& r) const;
  [[nodiscard]] std::optional<std::string> check_run(const Record& r) const;

  Summary summary_;
  Chain chain_;
  std::optional<Record> before_;
};

}  // namespace vong::ledger
