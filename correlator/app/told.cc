#include "correlator/app/told.h"

#include <utility>

#include "correlator/app/fact.h"
#include "correlator/incidents/limits.h"

namespace vong::correlator {

bool ToldIncidents::tell(const events::Incident& incident) {
  std::string json;
  events::write_incident(incident, json);
  std::string& told = told_[incident.id];
  if (told == json) return false;
  if (told.empty()) order_.push_back(incident.id);
  told = std::move(json);
  while (told_.size() > kToldMax && !order_.empty()) {
    told_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

void ToldIncidents::begin_again() {
  before_ = std::move(told_);
  told_.clear();
  order_.clear();
}

void ToldIncidents::clear() {
  told_.clear();
  before_.clear();
  order_.clear();
}

void ToldIncidents::differences(
    const Correction& correction,
    const std::function<void(const events::Incident&, bool is_new)>& f) const {
  for (const auto& [id, json] : told_) {
    const auto it = before_.find(id);
    if (it != before_.end() && it->second == json) continue;
    const auto incident = events::read_incident(json);
    if (incident && incident->first_seen >= correction.horizon) f(*incident, it == before_.end());
  }
  for (const auto& [id, json] : before_) {
    if (told_.contains(id)) continue;
    auto incident = events::read_incident(json);
    if (!incident) continue;
    if (correction.rules_gone_at && incident->kind == events::IncidentKind::kCampaign) {
      if (incident->status == events::IncidentStatus::kClosed) continue;
      incident->status = events::IncidentStatus::kClosed;
      if (incident->timeline.size() >= incidents::kTimelineMax) incident->timeline.pop_back();
      incident->timeline.push_back({*correction.rules_gone_at, "closed", "rule_gone"});
    } else if (incident->first_seen < correction.horizon) {
      continue;
    } else {
      incident->status = events::IncidentStatus::kRetracted;
    }
    ++incident->version;
    f(*incident, false);
  }
}

bool ToldFigures::is_news(std::string_view key, std::string_view json) {
  const uint64_t print = stable_print(json);
  const auto [it, is_new] = told_.try_emplace(key, print);
  return std::exchange(it->second, print) != print || is_new;
}

}  // namespace vong::correlator
