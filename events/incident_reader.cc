// Reading back an incident. Not a hot path: nlohmann-json, exceptions off by its non-throwing parse
// and checked access.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "events/incident.h"
#include "events/limits.h"

namespace vong::events {
namespace {

using Json = nlohmann::json;

constexpr size_t kKeyFieldsMax = 256;

// Reads fields of one object; the first fault stays.
class Fields {
 public:
  Fields(const Json& object, std::string path, std::string& fault)
      : object_(object), path_(std::move(path)), fault_(fault) {
    if (!object.is_object()) complain("", "must be an object");
  }
  void complain(std::string_view key, std::string_view what) {
    if (fault_.empty()) fault_ = "incident: " + path_ + std::string(key) + " " + std::string(what);
  }
  const Json* find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto it = object_.find(key);
    return it == object_.end() ? nullptr : &*it;
  }
  std::string text(const char* key, bool required = false) {
    const Json* j = find(key);
    if (j == nullptr)
      return required ? (complain(key, "is missing"), std::string()) : std::string();
    if (!j->is_string()) return complain(key, "must be a text"), std::string();
    return j->get<std::string>();
  }
  uint64_t number(const char* key) {
    const Json* j = find(key);
    if (j == nullptr) return 0;
    if (!j->is_number_unsigned()) return complain(key, "must be a whole number"), 0;
    return j->get<uint64_t>();
  }
  bool flag(const char* key) {
    const Json* j = find(key);
    return j != nullptr && j->is_boolean() && j->get<bool>();
  }
  Timestamp time(const char* key) {
    const auto t = parse_eve_time(text(key, true));
    if (!t) complain(key, "must be a time");
    return t.value_or(Timestamp{});
  }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> out;
    for (const Json* j : list(key)) {
      if (j->is_string())
        out.push_back(j->get<std::string>());
      else
        complain(key, "must hold texts");
    }
    return out;
  }
  std::vector<const Json*> list(const char* key) {
    std::vector<const Json*> out;
    const Json* j = find(key);
    if (j == nullptr) return out;
    if (!j->is_array()) return complain(key, "must be a list"), out;
    if (j->size() > 65'536) return complain(key, "is too long"), out;
    for (const Json& item : *j) out.push_back(&item);
    return out;
  }

 private:
  const Json& object_;
  std::string path_;
  std::string& fault_;
};

template <typename E, size_t N>
E choice(Fields& f, const char* key, const E (&values)[N]) {
  const std::string word = f.text(key, true);
  for (const E v : values) {
    if (name_of(v) == word) return v;
  }
  f.complain(key, "has an unknown value");
  return values[0];
}

VerdictCounts counts(Fields& of, const char* key, std::string& fault) {
  const Json* j = of.find(key);
  if (j == nullptr) return {};
  Fields c(*j, std::string("rule.verdicts.") + key + ".", fault);
  return {static_cast<uint32_t>(c.number("true_positives")),
          static_cast<uint32_t>(c.number("false_positives"))};
}

}  // namespace

Result<Incident> read_incident(std::string_view json) {
  if (json.size() > kRecordBytesMax) return fail("incident: record too long");
  // The key has its fields in the order in which the rule names them; the library sorts.
  std::vector<std::string> key_fields;
  bool in_key = false;
  const auto note = [&](int depth, Json::parse_event_t event, Json& name) {
    if (event != Json::parse_event_t::key) return true;
    if (depth == 1) in_key = name == "key";
    if (depth == 2 && in_key && key_fields.size() < kKeyFieldsMax)
      key_fields.push_back(name.get<std::string>());
    return true;
  };
  const Json root = Json::parse(json, note, false);
  if (root.is_discarded()) return fail("incident: not JSON");
  std::string fault;
  Fields f(root, "", fault);
  Incident i;
  i.id = f.text("incident_id", true);
  i.version = f.number("version");
  i.kind = choice(f, "kind",
                  {IncidentKind::kDetection, IncidentKind::kCorrelation, IncidentKind::kCampaign});
  i.status = choice(f, "status",
                    {IncidentStatus::kOpen, IncidentStatus::kUpdated, IncidentStatus::kClosed,
                     IncidentStatus::kRetracted, IncidentStatus::kReopened});
  i.severity = choice(f, "severity",
                      {Severity::kInformational, Severity::kLow, Severity::kMedium, Severity::kHigh,
                       Severity::kCritical});
  i.national = f.text("scope", true) == "national";
  i.agency = f.text("agency");
  i.tlp = f.text("tlp");
  i.anonymised = f.flag("anonymised");
  if (const Json* rule = f.find("rule")) {
    Fields r(*rule, "rule.", fault);
    i.rule = {r.text("id"),
              r.text("title", true),
              r.text("type"),
              r.text("level"),
              r.texts("tags"),
              {},
              {}};
    if (const Json* verdicts = r.find("verdicts")) {
      Fields v(*verdicts, "rule.verdicts.", fault);
      i.rule.agency_verdicts = counts(v, "agency", fault);
      i.rule.nation_verdicts = counts(v, "nation", fault);
    }
  }
  if (const Json* attack = f.find("attack")) {
    Fields a(*attack, "attack.", fault);
    i.techniques = a.texts("techniques");
    i.tactics = a.texts("tactics");
  }
  if (const Json* key = f.find("key"); key != nullptr && key->is_object()) {
    for (const std::string& name : key_fields) {
      const auto value = key->find(name);
      const auto same = [&](const auto& field) { return field.first == name; };
      if (value == key->end() || std::any_of(i.key.begin(), i.key.end(), same)) continue;
      if (value->is_string())
        i.key.emplace_back(name, value->get<std::string>());
      else
        f.complain("key", "must hold texts");
    }
  }
  i.first_seen = f.time("first_seen");
  i.last_seen = f.time("last_seen");
  i.opened = f.time("opened");
  i.updated = f.time("updated");
  i.match_count = f.number("match_count");
  i.event_count = f.number("event_count");
  for (const Json* j : f.list("victims")) {
    Fields v(*j, "victims.", fault);
    i.victims.push_back({v.text("agency", true), v.text("kind"), v.number("event_count"),
                         v.texts("addresses"), v.number("address_count")});
  }
  i.unnamed_agencies = f.number("unnamed_agencies");
  for (const Json* j : f.list("systems")) {
    Fields s(*j, "systems.", fault);
    i.systems.push_back({s.text("id", true), s.text("name"), static_cast<int>(s.number("level"))});
  }
  i.sensors = f.texts("sensors");
  i.related = f.texts("related");
  for (const Json* j : f.list("evidence")) {
    Fields e(*j, "evidence.", fault);
    Evidence x;
    x.event_id = e.text("event_id", true);
    x.timestamp = e.time("timestamp");
    x.sensor = e.text("sensor");
    x.agency = e.text("agency");
    x.event_type = e.text("event_type");
    x.flow_id = e.number("flow_id");
    x.signature_id = static_cast<uint32_t>(e.number("signature_id"));
    if (e.find("latency_us") != nullptr) x.latency_us = static_cast<int32_t>(e.number("latency_us"));
    x.src_ip = e.text("src_ip");
    x.dest_ip = e.text("dest_ip");
    i.evidence.push_back(std::move(x));
  }
  i.rank = static_cast<uint32_t>(f.number("rank"));
  i.reopened_count = static_cast<uint32_t>(f.number("reopened_count"));
  i.verdict = f.text("verdict");
  for (const Json* j : f.list("timeline")) {
    Fields t(*j, "timeline.", fault);
    i.timeline.push_back({t.time("time"), t.text("what", true), t.text("value")});
  }
  i.evidence_dropped = f.number("evidence_dropped");
  i.recipients = f.texts("recipients");
  if (!fault.empty()) return fail(fault);
  return i;
}

}  // namespace vong::events
