// What the centre is told as figures, beside incidents: what analysts' verdicts make of each rule,
// and the counts of agencies whose policy lets out nothing else. Records of the topic vong.coverage
// and of coverage.json, scopes `precision` and `counters` (events/schema/coverage.schema.json).
// Knows which records have changed, and writes them when asked. Single thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "correlator/enrich/registry.h"
#include "correlator/routing/router.h"
#include "correlator/verdicts/history.h"
#include "events/incident.h"

namespace vong::correlator {

class Figures {
 public:
  // Key and JSON of one record.
  using Sink = std::function<void(std::string_view key, std::string_view json)>;
  // Who a rule is, of its print; null: it is not in force.
  using RuleOf = std::function<const events::IncidentRule*(uint64_t rule)>;
  static constexpr size_t kDaysMax = 8;        // of counts, the latest ones
  static constexpr size_t kRowsMax = 100'000;  // agency, day and rule; beyond, nothing is counted
  static constexpr size_t kSeverities = 5;

  // Both must outlive it.
  Figures(const enrich::Registry& registry, const routing::Router& router);

  // An incident of this rule and agency was opened.
  void opened(uint64_t rule, enrich::AgencyIndex agency, events::Severity severity,
              int64_t time_ns);
  // A verdict on an incident of theirs.
  void judged(uint64_t rule, enrich::AgencyIndex agency, int64_t time_ns);
  // The rule is not in force any more.
  void forget(uint64_t rule);

  [[nodiscard]] bool changed() const { return !judged_.empty() || !counted_.empty(); }
  // The records that have changed since the last call, in an order that does not depend on when
  // they changed.
  void tell(const verdicts::History& history, const RuleOf& rule_of, const Sink& sink);

 private:
  using Counts = std::array<uint64_t, kSeverities>;  // by severity, from informational on
  struct Group {  // agencies that the counts know by one name, or by none
    std::set<enrich::AgencyIndex> agencies;
    std::set<std::pair<uint64_t, enrich::AgencyIndex>> judged;  // rule, agency
    std::map<int64_t, std::map<uint64_t, Counts>> days;         // since 1970; by rule
    int64_t newest_ns = INT64_MIN;
    size_t rows = 0;
  };
  [[nodiscard]] Group* group_of(enrich::AgencyIndex agency);
  void tell_precision(uint64_t rule, enrich::AgencyIndex agency, int64_t time_ns,
                      const verdicts::History& history, const events::IncidentRule& about,
                      const Sink& sink);
  void tell_counters(const std::string& name, const Group& group, const verdicts::History& history,
                     const Sink& sink);

  const enrich::Registry& registry_;
  const routing::Router& router_;
  std::map<std::string, Group> groups_;  // by name; empty: those without
  std::map<enrich::AgencyIndex, std::string> group_names_;
  // Rule and agency (kNoAgency: the nation), and when; since they were told.
  std::map<std::pair<uint64_t, enrich::AgencyIndex>, int64_t> judged_;
  std::set<std::string> counted_;  // groups, since they were told
  std::string json_;
};

}  // namespace vong::correlator
