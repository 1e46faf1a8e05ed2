// Rules loaded and compiled beside the work, for a run that takes them over between two
// transactions. Begun by SIGHUP, or by rule files that have changed and stayed so for one interval.
// One thread asks; the work is done on another, at low priority.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/counter.h"
#include "correlator/app/compiled_rules.h"
#include "rules/sigma/rule.h"

namespace vong::correlator {

// Loads the rules again, and whatever else has changed; nothing when the rules have errors (which
// are printed). Called on any thread.
using ReloadRules = std::function<std::optional<sigma::RuleSet>()>;

class RuleReload {
 public:
  struct Loaded {
    sigma::RuleSet rules;
    std::unique_ptr<RuleProgram> program;
    std::unique_ptr<RuleProgram> reading;  // for an engine that only reads; null: nobody wants it
  };
  // Makes the programs of the rules.
  using Compile = std::function<void(Loaded&)>;

  // `paths`: files and folders that are looked at every `interval`; 0: never.
  RuleReload(ReloadRules load, Compile compile, std::vector<std::string> paths,
             std::chrono::nanoseconds interval, Counter& refused);
  ~RuleReload();

  // Begins, or begins again once what runs is over.
  void begin() { wanted_ = true; }
  // What was loaded, once; none while nothing is there. Begins what waits. Cheap.
  [[nodiscard]] std::optional<Loaded> poll();

 private:
  void look_at_files();
  void start();
  [[nodiscard]] uint64_t stamp() const;

  ReloadRules load_;
  Compile compile_;
  std::vector<std::string> paths_;
  std::chrono::nanoseconds interval_;
  std::chrono::steady_clock::time_point looked_;
  uint64_t loaded_stamp_ = 0, seen_stamp_ = 0;  // of the files, as loaded and as seen last
  bool wanted_ = false;
  Counter& refused_;  // rule sets with errors
  std::future<std::optional<Loaded>> work_;
};

}  // namespace vong::correlator
