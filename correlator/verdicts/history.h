// What analysts have said so far, as counts by rule: of each agency, and of all that share. A
// function of the verdicts and the incidents in order of event time. Single thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "correlator/state/event_ref.h"
#include "events/incident.h"

namespace vong::verdicts {

using state::AgencyIndex;

// A rule by a number that is the same in every run: of its id.
using RuleNumber = uint64_t;

class History {
 public:
  // An incident that verdicts may speak of. `shares`: its agency's verdicts count for the nation.
  void know(std::string_view incident_id, RuleNumber rule, AgencyIndex agency, bool shares);

  struct Judged {
    RuleNumber rule;
    AgencyIndex agency;
  };
  // Null when nobody knows the incident.
  [[nodiscard]] const Judged* find(std::string_view incident_id) const;
  // A verdict on it; a later one replaces the one before. Null when nobody knows the incident.
  [[nodiscard]] const Judged* judge(std::string_view incident_id, bool true_positive);

  // What was said of this rule's incidents, and which those are: it is not in force any more.
  void forget(RuleNumber rule);

  [[nodiscard]] events::VerdictCounts of_agency(RuleNumber rule, AgencyIndex agency) const;
  [[nodiscard]] events::VerdictCounts of_nation(RuleNumber rule) const;
  [[nodiscard]] bool empty() const { return agencies_.empty(); }  // no verdict until now

 private:
  struct Known {
    Judged what;
    bool shares;
    int8_t verdict;  // -1: none
  };
  void count(const Known& known, int by);

  absl::flat_hash_map<uint64_t, Known> incidents_;  // by the id's number
  std::deque<uint64_t> order_;
  absl::flat_hash_map<std::pair<RuleNumber, AgencyIndex>, events::VerdictCounts> agencies_;
  absl::flat_hash_map<RuleNumber, events::VerdictCounts> nation_;
};

// How likely the next incident of the rule at this agency is a true one, by Bayes: the nation's
// verdicts stand for four of the agency's own, no verdict at all means one half.
[[nodiscard]] double expected_precision(const events::VerdictCounts& agency,
                                        const events::VerdictCounts& nation);

// 0 to 100: twenty for each step of severity, halved by a rule of which nothing was ever true, half
// as much again by one of which everything was.
[[nodiscard]] uint32_t rank(events::Severity severity, const events::VerdictCounts& agency,
                            const events::VerdictCounts& nation);

// Ten verdicts at least, and one in ten true at most: its incidents are one step less severe. The
// rule itself is never switched off.
[[nodiscard]] bool is_noise(const events::VerdictCounts& agency,
                            const events::VerdictCounts& nation);

}  // namespace vong::verdicts
