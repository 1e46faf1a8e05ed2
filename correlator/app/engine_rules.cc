// Other rules while the engine works: what stays, what goes, and since when who is in force.
#include <algorithm>
#include <unordered_map>

#include "correlator/app/engine.h"
#include "correlator/app/fact.h"
#include "correlator/app/flat_bytes.h"
#include "correlator/app/rules_in_force.h"

namespace vong::correlator {
namespace {

constexpr uint32_t kGone = incidents::IncidentStore::kGone;

// Where each of `before` stands in `now`.
template <typename T>
std::vector<uint32_t> places(const std::vector<T>& before, const std::vector<T>& now) {
  std::unordered_map<T, uint32_t> at;
  for (uint32_t i = 0; i < now.size(); ++i) at.emplace(now[i], i);
  std::vector<uint32_t> out;
  for (const T& b : before) {
    const auto it = at.find(b);
    out.push_back(it == at.end() ? kGone : it->second);
  }
  return out;
}

}  // namespace

Engine::Swapped Engine::swap(std::unique_ptr<RuleProgram> program, uint32_t epoch,
                             Campaigns campaigns) {
  CompiledRules old = std::move(rules_);
  const std::vector<int64_t> in_campaigns_before = in_campaigns_ns_;
  const std::vector<uint64_t> matched_before = std::move(detection_matches_);
  install(std::move(program));
  moved_.facts = places(old.prints, rules_.prints);
  moved_.columns = places(rules_.columns, old.columns);
  moved_.detections.assign(old.detections.size(), kGone);
  Swapped s;
  std::fill(rules_.since.begin(), rules_.since.end(), epoch);
  for (size_t i = 0; i < old.prints.size(); ++i) {
    const uint32_t now = moved_.facts[i];
    if (now == kGone) continue;
    rules_.since[now] = old.since[i];
    in_campaigns_ns_[now] = in_campaigns_before[i];
  }
  const size_t own = rules_.detections.size() + rules_.correlations.size();
  for (uint32_t i = 0; i < old.detections.size(); ++i) {
    const uint32_t now = moved_.facts[i];
    ++(now == kGone ? s.dropped : s.kept);
    moved_.detections[i] = now;  // of detections rule and incident rule have one number
    if (now != kGone) detection_matches_[now] = matched_before[i];
  }
  for (CorrelationPlan& c : old.correlations) {
    const uint32_t now = moved_.facts[c.incident_rule];
    ++(now == kGone ? s.dropped : s.kept);
    if (now == kGone) {
      s.dropped_keys += c.op ? c.op->keys() : 0;
      continue;
    }
    CorrelationPlan& mine = rules_.correlations[now - rules_.detections.size()];
    mine.op = std::move(c.op);
    mine.matches = c.matches;
  }
  s.added = own - s.kept;
  const bool coupled = campaigns_stand_on_what_is_gone(old, in_campaigns_before);
  s.campaigns_anew = coupled && campaigns == Campaigns::kBeginAnew;
  // All rules share the cap of incidents: at it, those of rules that are gone have pushed others
  // out.
  s.stale = (coupled && campaigns == Campaigns::kStale) ||
            (s.dropped > 0 && store_->closed_early_total() > 0);
  std::vector<uint32_t> facts = moved_.facts;
  if (s.campaigns_anew) {
    campaigns_since_ns_ = now_ns_;
    campaigns_ = std::make_unique<state::KeyedStore<CampaignState>>(settings_.keys_max,
                                                                    settings_.campaign.window_ns);
    for (const uint32_t rule : old.campaign_rules) facts[rule] = kGone;
  } else {
    rules_.campaign = std::move(old.campaign);
  }
  for (size_t i = 0; i < facts.size(); ++i) {
    if (facts[i] != kGone) continue;
    verdicts_.forget(old.prints[i]);
    figures_.forget(old.prints[i]);
  }
  s.dropped_incidents = store_->replace_rules(rules_.facts, facts, now_ns_);
  epochs_.emplace_back(now_ns_, epoch);
  return s;
}

// A campaign is made of several rules' incidents, and what one of them had part in cannot be taken
// out of it again; but a replay knows nothing of rules that are gone. Whether one of those took
// part in what is still remembered.
bool Engine::campaigns_stand_on_what_is_gone(const CompiledRules& old,
                                             std::span<const int64_t> in_campaigns_ns) const {
  int64_t earliest = now_ns_;
  for (const uint32_t rule : old.campaign_rules)
    earliest = std::min(earliest, store_->earliest_ns(rule));
  if (earliest < INT64_MIN + settings_.campaign.window_ns) return false;  // no fact until now
  for (size_t i = 0; i < in_campaigns_ns.size(); ++i) {
    if (moved_.facts[i] == kGone && in_campaigns_ns[i] > earliest - settings_.campaign.window_ns)
      return true;
  }
  return false;
}

bool Engine::translate(std::string_view fact, std::string& out) const {
  const FactView view(fact);
  if (view.control() != Control::kNone) {
    out.assign(fact);
    return true;
  }
  std::vector<uint32_t> rules;
  for (size_t i = 0; i < view.rule_count(); ++i) {
    if (const uint32_t r = moved_.detections[view.rule(i)]; r != kGone) rules.push_back(r);
  }
  if (rules.empty()) return false;
  std::sort(rules.begin(), rules.end());
  out.clear();
  put(out, view.ref);
  put(out, static_cast<uint16_t>(rules.size()));
  put(out, static_cast<uint16_t>(moved_.columns.size()));
  for (const uint32_t r : rules) put(out, r);
  std::string values;
  for (const uint32_t c : moved_.columns) {
    std::string_view value;
    const bool there = c != kGone && view.column(static_cast<Column>(c), value);
    put(out, there ? static_cast<uint16_t>(value.size()) : kNoValue);
    if (there) values.append(value);
  }
  out += values;
  return true;
}

void Engine::apply(const RulesInForce& in_force) {
  epochs_.clear();
  for (const RulesInForce::Epoch& e : in_force.epochs)
    epochs_.emplace_back(e.released_ns, e.number);
  for (size_t i = 0; i < rules_.prints.size(); ++i) {
    const auto it = in_force.since.find(rules_.prints[i]);
    rules_.since[i] = it == in_force.since.end() ? 0 : it->second;
  }
  campaigns_since_ns_ = in_force.campaigns_since_ns;
}

// Of what is at work: of the fact, or, at a deadline, of its time.
uint32_t Engine::epoch_at_work() const {
  if (current_ != nullptr) return current_->ref.rules_epoch;
  uint32_t epoch = 0;
  for (const auto& [after_ns, number] : epochs_) {
    if (after_ns < now_ns_) epoch = number;
  }
  return epoch;
}

}  // namespace vong::correlator
