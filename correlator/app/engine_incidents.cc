// What the engine makes of matches: incidents, campaigns, and an incident as its readers see it.
#include <fmt/format.h>

#include <algorithm>

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
  for (const EventRef& ref : match.evidence) {
    for (const IpAddress& a : {ref.dest, ref.src}) {
      const enrich::ProtectedSystem* s = a.family() == 0 ? nullptr : registry_.system_at(a);
      if (s == nullptr) continue;
      const auto index = static_cast<uint16_t>(s - registry_.systems().data());
      if (std::find(hit.systems.begin(), hit.systems.end(), index) == hit.systems.end())
        hit.systems.push_back(index);
      hit.system_level = std::max(hit.system_level, s->level);
    }
  }
  const uint64_t before = store_->opened_total();
  const std::string id(store_->add(hit));
  if (store_->opened_total() != before) counters_->incidents_opened.add();
  if (national || !rules_.campaign || hit.evidence.empty()) return;
  if (hit.agency < takes_part_.size() && !takes_part_[hit.agency]) return;
  if (store_->rule(incident_rule).severity < settings_.campaign.severity_min) return;
  if (const IpAddress& src = hit.evidence.back().src; src.family() != 0) {
    watch_campaign(rules_.campaign_by_source, hit, id, src.to_string(), true);
  }
  watch_campaign(rules_.campaign_by_rule, hit, id, store_->rule(incident_rule).rule.id, false);
}

void Engine::watch_campaign(uint32_t incident_rule, const incidents::Hit& hit, std::string_view id,
                            std::string_view subject, bool by_source) {
  std::string key;
  append_part(key, by_source ? "source" : "rule");
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
    campaign.rule = incident_rule;
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
    const uint64_t before = store_->opened_total();
    store_->add(campaign);
    if (store_->opened_total() != before) counters_->campaigns_opened.add();
  }
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
    if (r.src.family() != 0) e.src_ip = r.src.to_string();
    if (r.dest.family() != 0) e.dest_ip = r.dest.to_string();
    i.evidence.push_back(std::move(e));
  }
  if (i.national) {
    for (const auto& [agency, count] : o.agencies) {
      events::Victim v{std::string(agency_name(agency)), {}, count, {}};
      if (agency < registry_.agencies().size()) v.kind = registry_.agencies()[agency].kind;
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
