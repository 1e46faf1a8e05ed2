// What the rules would have said of past events: one record a rule, for an analyst who is about to
// put them in force; beside what other rules said of the same events, when those are given. Single
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "correlator/app/engine.h"
#include "events/incident.h"

namespace vong::correlator {

class Backtest {
 public:
  static constexpr size_t kExamplesMax = 5;  // per rule, the first ones

  // Each incident once, as it ended.
  void incident(const events::Incident& incident);
  // After the last one: takes the engine's rules and how often each matched.
  void finish(const Engine& engine);

  // Writes FOLDER/backtest.json (docs/analysts.md): a line for each rule, those that match most
  // first; rules that never matched stand there too. `before`: what is compared with, or null.
  [[nodiscard]] Result<> write(const std::string& folder, const Backtest* before) const;
  // The same for a reader: a header, then a row a rule.
  [[nodiscard]] std::string table(const Backtest* before) const;

 private:
  struct Example {
    std::string incident_id, agency;
    Timestamp first_seen{};
    std::vector<std::pair<std::string, std::string>> key;
  };
  struct Rule {
    std::string title, type;
    uint64_t matches = 0;                       // of a detection: events
    bool loaded = false;                        // false: only its incidents are known, as yet
    std::map<std::string, uint64_t> by_agency;  // incidents
    std::vector<uint64_t> ids;                  // of its incidents, as numbers, sorted
    std::vector<Example> examples;              // by first_seen, then id
  };
  // A rule of both runs or of one of them; null: it is not there.
  struct Row {
    const std::string* id;
    const Rule *now, *before;
    uint64_t added = 0, gone = 0;  // incidents of one run only
  };
  [[nodiscard]] std::vector<Row> rows(const Backtest* before) const;
  static void write_row(const Row& row, bool compared, std::string& out);

  std::map<std::string, Rule> rules_;  // by id
};

}  // namespace vong::correlator
