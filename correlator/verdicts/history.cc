#include "correlator/verdicts/history.h"

#include <algorithm>
#include <cmath>

#include "correlator/state/incident_number.h"
#include "correlator/verdicts/limits.h"

namespace vong::verdicts {

void History::know(std::string_view id, RuleNumber rule, AgencyIndex agency, bool shares) {
  const uint64_t number = state::incident_number(id);
  if (!incidents_.try_emplace(number, Known{{rule, agency}, shares, -1}).second) return;
  order_.push_back(number);
  if (order_.size() <= kIncidentsMax) return;
  incidents_.erase(order_.front());  // its verdict goes on counting
  order_.pop_front();
}

void History::count(const Known& k, int by) {
  const auto add = [&](events::VerdictCounts& c) {
    uint32_t& n = k.verdict == 1 ? c.true_positives : c.false_positives;
    n = static_cast<uint32_t>(static_cast<int64_t>(n) + by);
  };
  const std::pair key(k.what.rule, k.what.agency);
  if (agencies_.size() < kCountsMax || agencies_.contains(key)) add(agencies_[key]);
  if (k.shares) add(nation_[k.what.rule]);
}

const History::Judged* History::find(std::string_view id) const {
  const auto it = incidents_.find(state::incident_number(id));
  return it == incidents_.end() ? nullptr : &it->second.what;
}

const History::Judged* History::judge(std::string_view id, bool true_positive) {
  const auto it = incidents_.find(state::incident_number(id));
  if (it == incidents_.end()) return nullptr;
  Known& k = it->second;
  if (k.verdict >= 0) count(k, -1);
  k.verdict = true_positive ? 1 : 0;
  count(k, 1);
  return &k.what;
}

void History::forget(RuleNumber rule) {
  std::erase_if(order_, [&](uint64_t id) {
    const auto it = incidents_.find(id);
    return it == incidents_.end() || it->second.what.rule == rule;
  });
  absl::erase_if(incidents_, [&](const auto& k) { return k.second.what.rule == rule; });
  absl::erase_if(agencies_, [&](const auto& k) { return k.first.first == rule; });
  nation_.erase(rule);
}

events::VerdictCounts History::of_agency(RuleNumber rule, AgencyIndex agency) const {
  const auto it = agencies_.find(std::pair(rule, agency));
  return it == agencies_.end() ? events::VerdictCounts() : it->second;
}

events::VerdictCounts History::of_nation(RuleNumber rule) const {
  const auto it = nation_.find(rule);
  return it == nation_.end() ? events::VerdictCounts() : it->second;
}

double expected_precision(const events::VerdictCounts& agency,
                          const events::VerdictCounts& nation) {
  const double prior = (nation.true_positives + 1.0) / (nation.total() + 2.0);
  return (agency.true_positives + 4.0 * prior) / (agency.total() + 4.0);
}

uint32_t rank(events::Severity severity, const events::VerdictCounts& agency,
              const events::VerdictCounts& nation) {
  const double weight = 0.5 + expected_precision(agency, nation);
  return static_cast<uint32_t>(
      std::lround(std::min(100.0, 20.0 * static_cast<double>(severity) * weight)));
}

bool is_noise(const events::VerdictCounts& agency, const events::VerdictCounts& nation) {
  const events::VerdictCounts& c = agency.total() >= 10 ? agency : nation;
  return c.total() >= 10 && c.true_positives * 10 <= c.total();
}

}  // namespace vong::verdicts
