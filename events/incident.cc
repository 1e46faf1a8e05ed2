#include "events/incident.h"

#include <cmath>

#include "base/json_writer.h"

namespace vong::events {

std::string_view name_of(IncidentKind kind) {
  static constexpr std::string_view kNames[] = {"detection", "correlation", "campaign"};
  return kNames[static_cast<size_t>(kind)];
}
std::string_view name_of(IncidentStatus status) {
  static constexpr std::string_view kNames[] = {"open", "updated", "closed", "retracted",
                                                "reopened"};
  return kNames[static_cast<size_t>(status)];
}
std::string_view name_of(Severity severity) {
  static constexpr std::string_view kNames[] = {"informational", "low", "medium", "high",
                                                "critical"};
  return kNames[static_cast<size_t>(severity) - 1];
}

namespace {

void write_texts(JsonWriter& w, std::string_view key, const std::vector<std::string>& texts) {
  w.open_array(key);
  for (const std::string& t : texts) w.string(t);
  w.close_array();
}

void write_counts(JsonWriter& w, std::string_view key, const VerdictCounts& c) {
  if (c.total() == 0) return;
  w.open_object(key);
  w.field("true_positives", c.true_positives);
  w.field("false_positives", c.false_positives);
  w.key("precision");
  w.real(std::round(1000.0 * c.true_positives / c.total()) / 1000.0);
  w.close_object();
}

void write_timeline(JsonWriter& w, const std::vector<TimelineEntry>& timeline) {
  w.open_array("timeline");
  for (const TimelineEntry& t : timeline) {
    w.open_object();
    w.field("time", t.time);
    w.field("what", t.what);
    if (!t.value.empty()) w.field("value", t.value);
    w.close_object();
  }
  w.close_array();
}

void write_rule(JsonWriter& w, const IncidentRule& rule) {
  w.open_object("rule");
  w.field("id", rule.id);
  w.field("title", rule.title);
  w.field("type", rule.type);
  w.field("level", rule.level);
  write_texts(w, "tags", rule.tags);
  if (rule.nation_verdicts.total() + rule.agency_verdicts.total() > 0) {
    w.open_object("verdicts");
    write_counts(w, "agency", rule.agency_verdicts);
    write_counts(w, "nation", rule.nation_verdicts);
    w.close_object();
  }
  w.close_object();
}

void write_victims(JsonWriter& w, const std::vector<Victim>& victims) {
  w.open_array("victims");
  for (const Victim& v : victims) {
    w.open_object();
    w.field("agency", v.agency);
    if (!v.kind.empty()) w.field("kind", v.kind);
    w.field("event_count", v.event_count);
    write_texts(w, "addresses", v.addresses);
    if (v.address_count > 0) w.field("address_count", v.address_count);
    w.close_object();
  }
  w.close_array();
}

void write_evidence(JsonWriter& w, const Incident& incident) {
  w.open_array("evidence");
  for (const Evidence& e : incident.evidence) {
    w.open_object();
    w.field("event_id", e.event_id);
    w.field("timestamp", e.timestamp);
    if (!e.sensor.empty()) w.field("sensor", e.sensor);
    if (!e.agency.empty()) w.field("agency", e.agency);
    if (!e.event_type.empty()) w.field("event_type", e.event_type);
    if (e.flow_id != 0) w.field("flow_id", e.flow_id);
    if (e.signature_id != 0) w.field("signature_id", e.signature_id);
    if (e.latency_us >= 0) w.field("latency_us", e.latency_us);
    if (!e.src_ip.empty()) w.field("src_ip", e.src_ip);
    if (!e.dest_ip.empty()) w.field("dest_ip", e.dest_ip);
    w.close_object();
  }
  w.close_array();
  w.field("evidence_dropped", incident.evidence_dropped);
}

}  // namespace

void write_key(const std::vector<std::pair<std::string, std::string>>& key, JsonWriter& w) {
  w.open_object("key");
  for (const auto& [name, value] : key) {
    w.key_escaped(name);
    w.string(value);
  }
  w.close_object();
}

void write_incident(const Incident& incident, std::string& out) {
  JsonWriter w(out);
  w.open_object();
  w.field("incident_id", incident.id);
  w.field("version", incident.version);
  w.field("kind", name_of(incident.kind));
  w.field("status", name_of(incident.status));
  w.field("severity", name_of(incident.severity));
  w.field("severity_id", static_cast<uint32_t>(incident.severity));
  w.field("rank", incident.rank);
  w.field("scope", incident.national ? "national" : "agency");
  if (!incident.agency.empty()) w.field("agency", incident.agency);
  w.field("tlp", incident.tlp);
  w.field("anonymised", incident.anonymised);
  write_rule(w, incident.rule);
  w.open_object("attack");
  write_texts(w, "techniques", incident.techniques);
  write_texts(w, "tactics", incident.tactics);
  w.close_object();
  write_key(incident.key, w);
  w.field("first_seen", incident.first_seen);
  w.field("last_seen", incident.last_seen);
  w.field("opened", incident.opened);
  w.field("updated", incident.updated);
  w.field("match_count", incident.match_count);
  w.field("event_count", incident.event_count);
  if (incident.reopened_count > 0) w.field("reopened_count", incident.reopened_count);
  if (!incident.verdict.empty()) w.field("verdict", incident.verdict);
  write_timeline(w, incident.timeline);
  if (incident.national) write_victims(w, incident.victims);
  if (incident.unnamed_agencies > 0) w.field("unnamed_agencies", incident.unnamed_agencies);
  if (!incident.systems.empty()) {
    w.open_array("systems");
    for (const AffectedSystem& s : incident.systems) {
      w.open_object();
      w.field("id", s.id);
      w.field("name", s.name);
      w.field("level", s.level);
      w.close_object();
    }
    w.close_array();
  }
  write_texts(w, "sensors", incident.sensors);
  if (!incident.related.empty()) write_texts(w, "related", incident.related);
  write_evidence(w, incident);
  write_texts(w, "recipients", incident.recipients);
  w.close_object();
}

}  // namespace vong::events
