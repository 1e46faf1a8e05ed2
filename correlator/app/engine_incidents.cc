// What the engine makes of matches: incidents, campaigns, and an incident as its readers see it.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "correlator/app/engine.h"
#include "correlator/app/fact.h"

namespace vong::correlator {

using enrich::AgencyIndex;
using enrich::kNoAgency;
using state::EventRef;

namespace {

std::string event_id(std::string_view sensor, std::string_view event_type, const EventRef& ref) {
  std::string text(sensor);
  text += '\n';
  text += event_type;
  for (const uint64_t n :
       {ref.flow_id, static_cast<uint64_t>(ref.time_ns), static_cast<uint64_t>(ref.signature_id)}) {
    text += '\n';
    text += std::to_string(n);
  }
  return fmt::format("{:016x}", stable_print(text));
}

}  // namespace

void Engine::raise(uint32_t incident_rule, bool national, const operators::Match& match) {
  if (raise_sink_) return send_away(incident_rule, national, match);
  incidents::Hit hit;
  hit.rule = incident_rule;
  hit.key = match.key;
  std::string_view rest = match.key;
  hit.agency = national ? kNoAgency : registry_.find(take_part(rest));
  if (national) (void)take_part(rest);
  while (!rest.empty()) hit.key_values.emplace_back(take_part(rest));
  hit.first_ns = match.first_ns;
  hit.last_ns = match.last_ns;
  hit.event_count = match.event_count;
  hit.evidence = match.evidence;
  set_systems(hit);
  set_standing(hit);
  const uint64_t before = store_->opened_total();
  const std::string id(store_->add(hit));
  if (store_->opened_total() != before) {
    counters_->incidents_opened.add();
    verdicts_.know(id, rules_.prints[incident_rule], hit.agency, shares(hit.agency));
    figures_.opened(rules_.prints[incident_rule], hit.agency, store_->rule(incident_rule).severity,
                    hit.last_ns);
  }
  if (!national && rules_.campaign && !hit.evidence.empty()) watch_campaigns(hit, id);
}

void Engine::set_systems(incidents::Hit& hit) const {
  for (const EventRef& ref : hit.evidence) {
    for (const IpAddress& a : {ref.dest, ref.src}) {
      const enrich::ProtectedSystem* s = a.family() == 0 ? nullptr : registry_.system_at(a);
      if (s == nullptr) continue;
      const auto index = static_cast<uint16_t>(s - registry_.systems().data());
      if (std::find(hit.systems.begin(), hit.systems.end(), index) == hit.systems.end())
        hit.systems.push_back(index);
      hit.system_level = std::max(hit.system_level, s->level);
    }
  }
}

bool Engine::shares(AgencyIndex agency) const {
  return agency >= takes_part_.size() || takes_part_[agency];
}

incidents::Standing Engine::standing_of(verdicts::RuleNumber rule, AgencyIndex agency) const {
  return {verdicts_.of_agency(rule, agency), verdicts_.of_nation(rule)};
}

void Engine::set_standing(incidents::Hit& hit) const {
  if (verdicts_.empty()) return;
  hit.standing = standing_of(rules_.prints[hit.rule], hit.agency);
  hit.less_severe = verdicts::is_noise(hit.standing.agency, hit.standing.nation);
}

// --- campaigns ---

std::string_view Engine::column_of_current(Column column) const {
  std::string_view value;
  if (taken_ != nullptr) {
    const auto columns = rules_.infrastructure();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (column >= 0 && columns[i] == column) value = taken_->infrastructure[i];
    }
    return value;
  }
  if (current_ == nullptr || column < 0 || !current_->column(column, value)) return {};
  return value;
}

// Nobody's of the registry, and no private address: a server there is not the victim's.
bool Engine::is_outside(const IpAddress& a) const {
  return a.family() != 0 && registry_.by_address(a) == kNoAgency && !routing::is_private(a);
}

// An agency whose mark is RED lets nothing of its incidents reach others, not even a warning's
// share.
void Engine::watch_campaigns(const incidents::Hit& hit, std::string_view id) {
  if (now_ns_ <= campaigns_since_ns_) return;
  const incidents::RuleFacts& facts = store_->rule(hit.rule);
  if (!shares(hit.agency) || facts.severity < settings_.campaign.severity_min) return;
  if (hit.agency < registry_.agencies().size() && registry_.agencies()[hit.agency].tlp == "RED")
    return;
  const EventRef& last = hit.evidence.back();
  if (last.src.family() != 0 && (is_outside(last.src) || !is_outside(last.dest)))
    watch_campaign(CampaignBy::kSource, hit, id, last.src.to_string());
  if (is_outside(last.dest)) {  // else these names are the victim's own
    std::string_view name = column_of_current(rules_.sni);
    if (name.empty()) name = column_of_current(rules_.hostname);
    watch_campaign(CampaignBy::kDomain, hit, id, to_lower(name));
    watch_campaign(CampaignBy::kCertificate, hit, id,
                   to_lower(column_of_current(rules_.certificate)));
  }
  watch_campaign(CampaignBy::kDomain, hit, id, to_lower(column_of_current(rules_.rrname)));
  watch_campaign(CampaignBy::kJa4, hit, id, column_of_current(rules_.ja4));
  for (const std::string& technique : facts.techniques)
    watch_campaign(CampaignBy::kTechnique, hit, id, technique);
  if (facts.techniques.empty()) watch_campaign(CampaignBy::kRule, hit, id, facts.rule.id);
}

void Engine::watch_campaign(CampaignBy by, const incidents::Hit& hit, std::string_view id,
                            std::string_view subject) {
  if (subject.empty() || !(settings_.campaign.by >> static_cast<size_t>(by) & 1)) return;
  if (by == CampaignBy::kDomain && registry_.owns_domain(subject)) return;
  in_campaigns_ns_[hit.rule] = now_ns_;
  std::string key;
  append_part(key, name_of(by));
  append_part(key, subject);
  std::vector<std::string>& related = campaigns_->touch(key, hit.last_ns).related;
  if (std::find(related.begin(), related.end(), id) == related.end() && related.size() < 64)
    related.emplace_back(id);
  operators::Fact f{hit.evidence.back(), 1, key, agency_name(hit.agency), 0, {}};
  f.ref.time_ns = hit.last_ns;
  operators::Matches found;
  rules_.campaign->on_fact(f, found);
  for (const operators::Match& m : found) {
    incidents::Hit campaign;
    campaign.rule = rules_.campaign_rules[static_cast<size_t>(by)];
    campaign.key = m.key;
    campaign.key_values = {std::string(subject)};
    campaign.first_ns = m.first_ns;
    campaign.last_ns = m.last_ns;
    campaign.event_count = m.event_count;
    campaign.evidence = m.evidence;
    campaign.systems = hit.systems;
    campaign.system_level = hit.system_level;
    const std::vector<std::string> members = std::move(related);
    related.clear();
    campaign.related = members;
    set_standing(campaign);
    const uint64_t before = store_->opened_total();
    const std::string campaign_id(store_->add(campaign));
    if (store_->opened_total() == before) continue;
    counters_->campaigns_opened.add();
    verdicts_.know(campaign_id, rules_.prints[campaign.rule], kNoAgency, true);
  }
}

void Engine::render_timeline(const incidents::Open& o, events::Incident& i) const {
  static constexpr const char* kWords[] = {"opened",  "severity", "agency",  "system",
                                           "verdict", "closed",   "reopened"};
  for (const incidents::TimelineStep& s : o.timeline) {
    events::TimelineEntry t{timestamp_from_ns(s.time_ns), kWords[static_cast<size_t>(s.step)], {}};
    if (s.step == incidents::Step::kSeverity)
      t.value = events::name_of(static_cast<events::Severity>(s.value));
    else if (s.step == incidents::Step::kAgency)
      t.value = agency_name(static_cast<AgencyIndex>(s.value));
    else if (s.step == incidents::Step::kSystem)
      t.value = registry_.systems()[s.value].id;
    else if (s.step == incidents::Step::kClosed && s.value == incidents::kRuleGone)
      t.value = "rule_gone";
    else if (s.step == incidents::Step::kVerdict)
      t.value = s.value == 1 ? "true_positive" : "false_positive";
    i.timeline.push_back(std::move(t));
  }
  std::stable_sort(i.timeline.begin(), i.timeline.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
}

void Engine::render(const incidents::Open& o, events::IncidentStatus status) {
  const incidents::RuleFacts& facts = store_->rule(o.rule);
  events::Incident i;
  i.id = o.id;
  i.kind = facts.kind;
  i.status = status;
  i.severity = o.severity;
  i.national = o.agency == kNoAgency;
  if (!i.national) {
    i.agency = agency_name(o.agency);
    i.tlp = registry_.agencies()[o.agency].tlp;
  }
  i.rule = facts.rule;
  i.rule.agency_verdicts = o.standing.agency;
  i.rule.nation_verdicts = o.standing.nation;
  i.rank = verdicts::rank(o.severity, o.standing.agency, o.standing.nation);
  i.reopened_count = o.reopened;
  if (o.verdict >= 0) i.verdict = o.verdict == 1 ? "true_positive" : "false_positive";
  render_timeline(o, i);
  i.techniques = facts.techniques;
  i.tactics = facts.tactics;
  for (size_t k = 0; k < o.key_values.size() && k < facts.key_fields.size(); ++k)
    i.key.emplace_back(facts.key_fields[k], o.key_values[k]);
  i.first_seen = timestamp_from_ns(o.first_ns);
  i.last_seen = timestamp_from_ns(o.last_ns);
  i.opened = timestamp_from_ns(o.opened_ns);
  i.updated = timestamp_from_ns(o.updated_ns);
  i.match_count = o.match_count;
  i.event_count = o.event_count;
  i.version = o.version;
  i.evidence_dropped = o.evidence_dropped;
  i.related = o.related;
  std::sort(i.related.begin(), i.related.end());
  for (const uint16_t s : o.systems) {
    const enrich::ProtectedSystem& p = registry_.systems()[s];
    i.systems.push_back({p.id, p.name, p.level});
  }
  for (const uint32_t s : o.sensors) i.sensors.push_back(sensors_[s]);
  std::sort(i.sensors.begin(), i.sensors.end());
  std::vector<EventRef> evidence = o.evidence;
  std::stable_sort(evidence.begin(), evidence.end(),
                   [](const EventRef& a, const EventRef& b) { return a.time_ns < b.time_ns; });
  for (const EventRef& r : evidence) {
    events::Evidence e;
    e.event_id = event_id(sensors_[r.sensor], event_types_[r.event_type], r);
    e.timestamp = timestamp_from_ns(r.time_ns);
    e.sensor = sensors_[r.sensor];
    e.agency = agency_name(r.agency);
    e.event_type = event_types_[r.event_type];
    e.flow_id = r.flow_id;
    e.signature_id = r.signature_id;
    e.latency_us = r.latency_us;
    if (r.src.family() != 0) e.src_ip = r.src.to_string();
    if (r.dest.family() != 0) e.dest_ip = r.dest.to_string();
    i.evidence.push_back(std::move(e));
  }
  if (i.national) {
    i.tlp = "CLEAR";
    for (const auto& [agency, count] : o.agencies) {
      events::Victim v{std::string(agency_name(agency)), {}, count, {}, 0};
      if (agency < registry_.agencies().size()) v.kind = registry_.agencies()[agency].kind;
      i.tlp = enrich::stricter_tlp(i.tlp, agency < registry_.agencies().size()
                                              ? std::string_view(registry_.agencies()[agency].tlp)
                                              : std::string_view("AMBER"));
      for (const EventRef& r : evidence) {
        if (r.agency != agency || r.dest.family() == 0 || v.addresses.size() >= 16) continue;
        const std::string address = r.dest.to_string();
        if (std::find(v.addresses.begin(), v.addresses.end(), address) == v.addresses.end())
          v.addresses.push_back(address);
      }
      i.victims.push_back(std::move(v));
    }
    std::sort(i.victims.begin(), i.victims.end(),
              [](const auto& a, const auto& b) { return a.agency < b.agency; });
  }
  sink_(i);
}

}  // namespace vong::correlator
