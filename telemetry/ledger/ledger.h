// Counters to ledger records: what went in and out at every hop in an interval, what did not and
// why, each record chained to the one before by its SHA-256.
//
//   Ledger ledger({.sensor = "s1", .start = t0}, Chain{});    // or where an older file's chain ends
//   std::string line = ledger.record(totals, t1, false);      // one JSON object, without a newline
//   ...
//   line = ledger.record(totals, tn, true);                   // the run's last one
//
// Pure: no I/O, no clock. One thread. The record's form: events/schema/ledger.schema.json and
// docs/ledger.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/timestamp.h"
#include "telemetry/ledger/reasons.h"

namespace vong::ledger {

// Since the start; `held` is what waits inside the hop now. It balances:
// in + added = out + dropped + not inspected + held.
struct HopTotals {
  bool present = false;  // a run without Kafka has no such hop
  uint64_t in = 0, out = 0, held = 0;
  std::array<uint64_t, kReasons> reasons{};

  uint64_t& operator[](Reason r) { return reasons[static_cast<std::size_t>(r)]; }
  [[nodiscard]] uint64_t operator[](Reason r) const { return reasons[static_cast<std::size_t>(r)]; }
  [[nodiscard]] uint64_t sum(Kind kind) const;
  // What must wait inside for the books to balance. Negative: the counters contradict each other.
  [[nodiscard]] int64_t balance() const;
};

struct Totals {
  std::array<HopTotals, kHops> hops;

  HopTotals& operator[](Hop h) { return hops[static_cast<std::size_t>(h)]; }
  [[nodiscard]] const HopTotals& operator[](Hop h) const {
    return hops[static_cast<std::size_t>(h)];
  }
  Totals& operator+=(const Totals& other);  // of another worker
  [[nodiscard]] uint64_t sum(Reason reason) const;  // over all hops
};

// Where a chain ends.
struct Chain {
  uint64_t next_number = 0;
  std::string previous;  // hex SHA-256 of the last record's line; empty: none
};

[[nodiscard]] std::string digest_of(std::string_view line);

class Ledger {
 public:
  struct Identity {
    std::string sensor;
    std::string version;
    Timestamp start{};
  };
  Ledger(Identity identity, Chain chain)
      : identity_(std::move(identity)), chain_(std::move(chain)), from_(identity_.start) {}

  // `totals` since the start, with `held` filled in for the hops that are present. `ruleset`: hash
  // of the rules in force.
  [[nodiscard]] std::string record(const Totals& totals, Timestamp now, std::string_view ruleset,
                                   bool final);

  [[nodiscard]] const Chain& chain() const { return chain_; }
  [[nodiscard]] Timestamp last() const { return from_; }

 private:
  Identity identity_;
  Chain chain_;
  Timestamp from_;
  bool first_ = true;
  Totals before_;
};

}  // namespace vong::ledger
