#include "correlator/app/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "events/limits.h"

namespace vong::correlator {

using enrich::AgencyIndex;
using enrich::kNoAgency;
using state::EventRef;

namespace {

constexpr size_t kSensorsMax = 1 << 20;  // names beyond share the last number
constexpr size_t kEventTypesMax = 256;
constexpr size_t kValueBytesMax = 1024;  // of one column; longer values are cut
constexpr size_t kChainDepthMax = 8;
constexpr uint16_t kMissing = 0xffff;

// FNV-1a: only has to be the same everywhere, not to resist anybody.
uint64_t fingerprint(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : text) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
  return h;
}

std::string event_id(std::string_view sensor, std::string_view event_type, const EventRef& ref) {
  std::string text(sensor);
  text += '\n';
  text += event_type;
  for (const uint64_t n :
       {ref.flow_id, static_cast<uint64_t>(ref.time_ns), static_cast<uint64_t>(ref.signature_id)}) {
    text += '\n';
    text += std::to_string(n);
  }
  return fmt::format("{:016x}", fingerprint(text));
}

void append_part(std::string& key, std::string_view value) {
  const auto size = static_cast<uint16_t>(value.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof size);
  key.append(value);
}

// The opposite of append_part, one after the other; empty when there is no more.
std::string_view take_part(std::string_view& key) {
  uint16_t size = 0;
  if (key.size() < sizeof size) return {};
  std::memcpy(&size, key.data(), sizeof size);
  key.remove_prefix(sizeof size);
  const std::string_view part = key.substr(0, size);
  key.remove_prefix(part.size());
  return part;
}

}  // namespace

// Layout of a fact: EventRef, counts, rule indices, sizes of the columns' values (kMissing: none),
// the values.
struct Engine::Fact {
  EventRef ref;
  std::span<const char> rules_bytes;
  std::span<const char> sizes_bytes;
  const char* values = nullptr;

  explicit Fact(std::string_view bytes) {
    uint16_t rule_count = 0, column_count = 0;
    const char* p = bytes.data();
    std::memcpy(static_cast<void*>(&ref), p, sizeof ref);
    p += sizeof ref;
    std::memcpy(&rule_count, p, 2);
    std::memcpy(&column_count, p + 2, 2);
    p += 4;
    rules_bytes = {p, rule_count * sizeof(uint32_t)};
    p += rules_bytes.size();
    sizes_bytes = {p, column_count * sizeof(uint16_t)};
    values = p + sizes_bytes.size();
  }
  [[nodiscard]] size_t rule_count() const { return rules_bytes.size() / sizeof(uint32_t); }
  [[nodiscard]] uint32_t rule(size_t i) const {
    uint32_t r;
    std::memcpy(&r, rules_bytes.data() + i * sizeof r, sizeof r);
    return r;
  }
  // False: the event has no such field.
  [[nodiscard]] bool column(Column c, std::string_view& out) const {
    const char* at = values;
    for (Column i = 0;; ++i) {
      uint16_t size;
      std::memcpy(&size, sizes_bytes.data() + static_cast<size_t>(i) * 2, 2);
      if (i == c) {
        out = {at, size == kMissing ? 0u : size};
        return size != kMissing;
      }
      at += size == kMissing ? 0 : size;
    }
  }
};

Engine::Engine(const enrich::Registry& registry, const routing::Router& router,
               EngineSettings settings, EngineCounters& counters, IncidentSink sink)
    : registry_(registry),
      router_(router),
      settings_(std::move(settings)),
      sink_(std::move(sink)),
      counters_(&counters) {
  events::add_time_fields(plan_);
  home_ = registry.find(settings_.home_agency);
  for (size_t i = 0; i < registry.agencies().size(); ++i)
    takes_part_.push_back(router.takes_part(static_cast<AgencyIndex>(i)));
}
Engine::~Engine() = default;

void Engine::load(const sigma::RuleSet& rules, std::vector<rules::Diagnostic>& diagnostics) {
  rules_ = compile_rules(rules, settings_.campaign, settings_.keys_max, plan_, diagnostics);
  const auto add = [&](const char* path) { return plan_.add(path).value_or(events::kNoField); };
  field_ = {add("agency"),     add("alert.metadata.agency"),
            add("host"),       add("flow_id"),
            add("event_type"), add("src_ip"),
            add("dest_ip"),    add("alert.signature_id")};
  for (const std::string& path : rules_.columns) column_fields_.push_back(plan_.find(path));
  for (uint32_t i = 0; i < rules_.correlations.size(); ++i) {
    if (rules_.correlations[i].op && rules_.correlations[i].timed) timed_.push_back(i);
  }
  decoder_ = std::make_unique<events::EveDecoder>(plan_);
  session_ = std::make_unique<match::Session>(rules_.matcher);
  store_ = std::make_unique<incidents::IncidentStore>(
      rules_.facts, settings_.update_interval_ns, settings_.id_salt,
      [this](const incidents::Open& o, events::IncidentStatus s) { render(o, s); });
  campaigns_ = std::make_unique<state::KeyedStore<CampaignState>>(settings_.keys_max,
                                                                  settings_.campaign.window_ns);
}

void Engine::refuse(std::string_view reason) {
  reason_.assign(reason);
  counters_->records_refused.add();
}

// The topic knows best, then the record's own word, then the sensor, then the addresses.
AgencyIndex Engine::agency_of(const RecordSource& source) {
  if (settings_.single_agency) return home_;
  if (!source.agency.empty()) return registry_.find(source.agency);
  if (const auto name = decoder_->text(field_.agency); !name.empty()) return registry_.find(name);
  if (const auto name = decoder_->text(field_.metadata_agency); !name.empty())
    return registry_.find(name);
  const std::string_view sensor =
      source.sensor.empty() ? decoder_->text(field_.host) : source.sensor;
  if (const AgencyIndex a = registry_.by_sensor(sensor); a != kNoAgency) return a;
  for (const events::FieldId f : {field_.dest_ip, field_.src_ip}) {
    const auto address = IpAddress::parse(decoder_->text(f));
    if (!address) continue;
    if (const AgencyIndex a = registry_.by_address(*address); a != kNoAgency) return a;
  }
  return home_;
}

ReadResult Engine::read(std::string_view record, const RecordSource& source) {
  counters_->records.add();
  if (const events::DecodeError e = decoder_->decode(record); e != events::DecodeError::kNone) {
    refuse(events::reason(e));
    return ReadResult::kRefused;
  }
  const AgencyIndex agency = agency_of(source);
  if (agency == kNoAgency) {
    std::string_view name = !source.agency.empty() ? source.agency : decoder_->text(field_.agency);
    refuse(name.empty()
               ? std::string(
                     "unknown agency: neither agency, sensor nor addresses are in the registry")
               : "unknown agency '" + std::string(name.substr(0, 64)) + "'");
    return ReadResult::kRefused;
  }
  const std::span<const uint32_t> rules = session_->match(*decoder_);
  const uint32_t sensor =
      sensor_index(source.sensor.empty() ? decoder_->text(field_.host) : source.sensor);
  sensor_print_ = sensor_prints_[sensor];
  if (rules.empty()) return ReadResult::kNoMatch;
  counters_->records_matched.add();
  write_fact(rules, source, agency, sensor);
  return ReadResult::kFact;
}

void Engine::write_fact(std::span<const uint32_t> rules, const RecordSource& source,
                        AgencyIndex agency, uint32_t sensor) {
  EventRef ref;
  ref.time_ns = to_ns(decoder_->time());
  ref.flow_id = events::unsigned_of(decoder_->text(field_.flow_id)).value_or(0);
  ref.position = source.position;
  ref.sensor = sensor;
  ref.signature_id =
      static_cast<uint32_t>(events::unsigned_of(decoder_->text(field_.signature_id)).value_or(0));
  ref.agency = agency;
  ref.event_type = event_type_index(decoder_->text(field_.event_type));
  ref.src = IpAddress::parse(decoder_->text(field_.src_ip)).value_or(IpAddress());
  ref.dest = IpAddress::parse(decoder_->text(field_.dest_ip)).value_or(IpAddress());
  key_ = {ref.time_ns, sensor_prints_[ref.sensor], ref.position};

  const auto rule_count = static_cast<uint16_t>(std::min<size_t>(rules.size(), 0xffff));
  const auto column_count = static_cast<uint16_t>(column_fields_.size());
  fact_.resize(sizeof ref + 4 + rule_count * sizeof(uint32_t) + column_count * sizeof(uint16_t));
  char* p = fact_.data();
  std::memcpy(p, &ref, sizeof ref);
  p += sizeof ref;
  std::memcpy(p, &rule_count, 2);
  std::memcpy(p + 2, &column_count, 2);
  p += 4;
  std::memcpy(p, rules.data(), rule_count * sizeof(uint32_t));
  const auto sizes_at = static_cast<size_t>(p - fact_.data()) + rule_count * sizeof(uint32_t);
  for (size_t i = 0; i < column_count; ++i) {
    const events::FieldValue* v = decoder_->first(column_fields_[i]);
    uint16_t size = kMissing;
    if (v != nullptr && v->type != events::ValueType::kNull &&
        v->type != events::ValueType::kContainer) {
      size = static_cast<uint16_t>(std::min(v->text.size(), kValueBytesMax));
      fact_.append(v->text.substr(0, size));
    }
    std::memcpy(fact_.data() + sizes_at + i * 2, &size, 2);
  }
}

uint32_t Engine::sensor_index(std::string_view name) {
  if (const auto it = sensor_ids_.find(name); it != sensor_ids_.end()) return it->second;
  if (sensors_.size() >= kSensorsMax) return static_cast<uint32_t>(sensors_.size() - 1);
  sensors_.emplace_back(name.substr(0, 256));
  sensor_prints_.push_back(fingerprint(name));
  sensor_ids_.emplace(std::string(name), static_cast<uint32_t>(sensors_.size() - 1));
  return static_cast<uint32_t>(sensors_.size() - 1);
}

uint16_t Engine::event_type_index(std::string_view name) {
  if (last_event_type_ < event_types_.size() && event_types_[last_event_type_] == name)
    return last_event_type_;
  if (const auto it = event_type_ids_.find(name); it != event_type_ids_.end())
    return last_event_type_ = static_cast<uint16_t>(it->second);
  if (event_types_.size() >= kEventTypesMax) return static_cast<uint16_t>(event_types_.size() - 1);
  event_types_.emplace_back(name.substr(0, 64));
  event_type_ids_.emplace(std::string(name), static_cast<uint32_t>(event_types_.size() - 1));
  return static_cast<uint16_t>(event_types_.size() - 1);
}

std::string_view Engine::agency_name(AgencyIndex agency) const {
  return agency < registry_.agencies().size() ? std::string_view(registry_.agencies()[agency].id)
                                              : std::string_view();
}

// The agency first (empty for national correlations), then each value, all with their sizes: no two
// groups look alike. Appended to `out`.
bool Engine::make_key(const Fact& fact, const std::vector<Column>& columns, bool national,
                      std::string& out) const {
  append_part(out, national ? std::string_view() : agency_name(fact.ref.agency));
  for (const Column c : columns) {
    std::string_view value = agency_name(fact.ref.agency);
    if (c != kAgencyColumn && !fact.column(c, value)) return false;
    append_part(out, value);
  }
  return true;
}

// What the operators have to be asked is prepared for all facts at once, so that the memory where
// their keys' states lie is on its way when their turn comes. The operators see the facts one after
// the other.
void Engine::process(std::span<const std::string_view> facts) {
  tasks_.clear();
  keys_.clear();
  for (const std::string_view bytes : facts) prepare(Fact(bytes));
  for (int stage = 0; facts.size() > 1 && stage < kWarmStages; ++stage) {
    for (const Task& t : tasks_) {
      if (t.step != nullptr) rules_.correlations[t.step->correlation].op->warm(t.print, stage);
    }
  }
  size_t next = 0;
  for (const std::string_view bytes : facts) {
    const Fact fact(bytes);
    counters_->facts_processed.add();
    advance(fact.ref.time_ns);
    raise_detections(fact);
    for (; tasks_[next].step != nullptr; ++next) run(fact.ref, tasks_[next]);
    ++next;
  }
}

void Engine::raise_detections(const Fact& fact) {
  for (size_t i = 0; i < fact.rule_count(); ++i) {
    const DetectionPlan& d = rules_.detections[fact.rule(i)];
    if (!d.standalone) continue;
    group_key_.clear();
    if (!make_key(fact, d.key, d.national, group_key_)) continue;
    raise(d.incident_rule, d.national,
          {group_key_, fact.ref.time_ns, fact.ref.time_ns, 1, 1, {fact.ref}});
  }
}

// The steps of all matched rules, one task per correlation with the bits of all of them; then an
// empty one.
void Engine::prepare(const Fact& fact) {
  const size_t begin = tasks_.size();
  for (size_t i = 0; i < fact.rule_count(); ++i) {
    for (const Step& s : rules_.detections[fact.rule(i)].steps) {
      const auto same = [&](const Task& t) {
        return t.step->correlation == s.correlation && t.step->key == s.key &&
               t.step->values == s.values;
      };
      const auto it = std::find_if(tasks_.begin() + static_cast<long>(begin), tasks_.end(), same);
      if (it != tasks_.end())
        it->bits |= s.bit;
      else
        prepare(fact, s);
    }
  }
  tasks_.emplace_back();
}

void Engine::prepare(const Fact& fact, const Step& step) {
  const CorrelationPlan& c = rules_.correlations[step.correlation];
  if (c.national && !takes_part_.empty() && !takes_part_[fact.ref.agency]) return;
  Task t;
  t.step = &step;
  t.bits = step.bit;
  t.key_at = keys_.size();
  bool complete = make_key(fact, step.key, c.national, keys_);
  t.key_size = t.value_at = keys_.size();
  t.key_size -= t.key_at;
  for (const Column column : step.values) {
    std::string_view value = agency_name(fact.ref.agency);
    complete = complete && (column == kAgencyColumn || fact.column(column, value));
    if (step.values.size() == 1)
      keys_.append(value);
    else
      append_part(keys_, value);
  }
  t.value_size = keys_.size() - t.value_at;
  if (complete && c.numeric) {
    const char *begin = keys_.data() + t.value_at, *end = begin + t.value_size;
    const auto [stop, error] = std::from_chars(begin, end, t.number);
    complete = error == std::errc() && stop == end && std::isfinite(t.number);
  }
  if (!complete) {
    keys_.resize(t.key_at);
    counters_->facts_without_key.add();
    return;
  }
  t.print = state::fingerprint_of(std::string_view(keys_).substr(t.key_at, t.key_size));
  tasks_.push_back(t);
}

void Engine::run(const EventRef& ref, const Task& t) {
  const std::string_view keys(keys_);
  const operators::Fact f{
      ref,      t.bits, keys.substr(t.key_at, t.key_size), keys.substr(t.value_at, t.value_size),
      t.number, t.print};
  matches_.clear();
  rules_.correlations[t.step->correlation].op->on_fact(f, matches_);
  if (!matches_.empty()) take_matches(t.step->correlation, matches_, 0);
}

void Engine::take_matches(uint32_t correlation, operators::Matches& matches, size_t depth) {
  CorrelationPlan& c = rules_.correlations[correlation];
  const operators::Matches taken = std::move(matches);
  matches.clear();
  for (const operators::Match& m : taken) {
    ++c.matches;
    counters_->matches.add();
    if (c.emits) raise(c.incident_rule, c.national, m);
    if (!c.steps.empty() && depth < kChainDepthMax) chain(correlation, m, depth);
  }
}

// A match as a fact of the correlations that build on this one: its values are those of its group.
void Engine::chain(uint32_t correlation, const operators::Match& match, size_t depth) {
  for (const Step& step : rules_.correlations[correlation].steps) {
    CorrelationPlan& next = rules_.correlations[step.correlation];
    std::string_view rest = match.key;
    const std::string_view agency = take_part(rest);
    std::vector<std::string_view> parts;
    while (!rest.empty()) parts.push_back(take_part(rest));
    const auto part = [&](Column c) {
      return c == kAgencyColumn ? agency : parts[static_cast<size_t>(c)];
    };
    std::string key;
    append_part(key, next.national ? std::string_view() : agency);
    for (const Column c : step.key) append_part(key, part(c));
    operators::Fact f{match.evidence.empty() ? EventRef() : match.evidence.back(),
                      step.bit,
                      key,
                      {},
                      match.value,
                      {}};
    f.ref.time_ns = match.last_ns;
    if (next.national && !takes_part_.empty() && f.ref.agency < takes_part_.size() &&
        !takes_part_[f.ref.agency])
      continue;
    std::string values;
    for (const Column c : step.values) {
      if (step.values.size() == 1)
        values = part(c);
      else
        append_part(values, part(c));
    }
    f.value = values;
    if (next.numeric) {  // of a chain: a value that the group is known by
      const auto [stop, error] =
          std::from_chars(values.data(), values.data() + values.size(), f.number);
      if (error != std::errc() || stop != values.data() + values.size()) continue;
    }
    operators::Matches found;
    next.op->on_fact(f, found);
    if (!found.empty()) take_matches(step.correlation, found, depth + 1);
  }
}

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

int64_t Engine::next_deadline_ns() const {
  int64_t next = operators::Operator::kNoDeadline;
  for (const uint32_t c : timed_)
    next = std::min(next, rules_.correlations[c].op->next_deadline_ns());
  return next;
}

// From one deadline to the next, and the incidents with them: the same comes out in however many
// steps the caller walks.
void Engine::advance(int64_t now_ns) {
  if (now_ns <= now_ns_) return;
  operators::Matches found;
  for (int64_t due = next_deadline_ns(); due <= now_ns && due != operators::Operator::kNoDeadline;
       due = next_deadline_ns()) {
    now_ns_ = std::max(now_ns_, due);
    store_->advance(now_ns_);
    for (const uint32_t c : timed_) {
      rules_.correlations[c].op->advance(due, found);
      if (!found.empty()) take_matches(c, found, 0);
    }
  }
  now_ns_ = now_ns;
  store_->advance(now_ns);
}

void Engine::finish() {
  operators::Matches found;
  for (const uint32_t c : timed_) {
    rules_.correlations[c].op->finish(found);
    if (!found.empty()) take_matches(c, found, 0);
  }
  store_->finish();
}

std::vector<Engine::RuleMatches> Engine::correlation_matches() const {
  std::vector<RuleMatches> out;
  for (const CorrelationPlan& c : rules_.correlations)
    out.push_back({rules_.facts[c.incident_rule].rule.title, c.matches});
  return out;
}

size_t Engine::keys() const {
  size_t n = 0;
  for (const CorrelationPlan& c : rules_.correlations) n += c.op ? c.op->keys() : 0;
  return n;
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
