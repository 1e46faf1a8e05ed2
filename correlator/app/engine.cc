#include "correlator/app/engine.h"

#include <algorithm>

#include "correlator/app/fact.h"
#include "events/limits.h"

namespace vong::correlator {

using enrich::AgencyIndex;
using enrich::kNoAgency;
using state::EventRef;

namespace {

constexpr size_t kSensorsMax = 1 << 20;  // names beyond share the last number
constexpr size_t kEventTypesMax = 256;
constexpr size_t kValueBytesMax = 1024;  // of one column; longer values are cut

}  // namespace

Engine::Engine(const enrich::Registry& registry, const routing::Router& router,
               EngineSettings settings, EngineCounters& counters, IncidentSink sink)
    : registry_(registry),
      router_(router),
      settings_(std::move(settings)),
      sink_(std::move(sink)),
      figures_(registry, router),
      counters_(&counters) {
  home_ = registry.find(settings_.home_agency);
  for (size_t i = 0; i < registry.agencies().size(); ++i)
    takes_part_.push_back(router.takes_part(static_cast<AgencyIndex>(i)));
}
Engine::~Engine() = default;

std::unique_ptr<RuleProgram> Engine::compile(const sigma::RuleSet& rules,
                                             const EngineSettings& settings,
                                             std::vector<rules::Diagnostic>& diagnostics) {
  auto program = std::make_unique<RuleProgram>();
  events::add_time_fields(program->plan);
  program->rules = compile_rules(rules, settings.campaign, settings.keys_max, program->plan,
                                 diagnostics, settings.indicators, settings.reads);
  if (settings.share.all()) return program;
  // Who has a group follows from the route: with another one its state is elsewhere.
  CompiledRules& compiled = program->rules;
  for (const CorrelationPlan& c : compiled.correlations)
    compiled.prints[c.incident_rule] ^= (c.route_print * 31 + c.whole) << 1;
  return program;
}

void Engine::load(const sigma::RuleSet& rules, std::vector<rules::Diagnostic>& diagnostics) {
  load(compile(rules, settings_, diagnostics));
}

void Engine::load(std::unique_ptr<RuleProgram> program) {
  install(std::move(program));
  store_ = std::make_unique<incidents::IncidentStore>(
      rules_.facts, settings_.update_interval_ns, settings_.id_salt,
      [this](const incidents::Open& o, events::IncidentStatus s) { render(o, s); },
      settings_.incidents_max);
  campaigns_ = std::make_unique<state::KeyedStore<CampaignState>>(settings_.keys_max,
                                                                  settings_.campaign.window_ns);
}

// What follows from the rules and remembers nothing.
void Engine::install(std::unique_ptr<RuleProgram> program) {
  session_.reset();
  decoder_.reset();
  plan_ = std::move(program->plan);
  rules_ = std::move(program->rules);
  const auto add = [&](const char* path) { return plan_.add(path).value_or(events::kNoField); };
  field_ = {add("agency"),
            add("alert.metadata.agency"),
            add("host"),
            add("flow_id"),
            add("event_type"),
            add("src_ip"),
            add("dest_ip"),
            add("alert.signature_id"),
            add("sensor.latency_us")};
  column_fields_.clear();
  for (const std::string& path : rules_.columns) column_fields_.push_back(plan_.find(path));
  timed_.clear();
  for (uint32_t i = 0; i < rules_.correlations.size(); ++i) {
    if (rules_.correlations[i].op && rules_.correlations[i].timed) timed_.push_back(i);
  }
  detection_matches_.assign(rules_.detections.size(), 0);
  make_names();
  decoder_ = std::make_unique<events::EveDecoder>(plan_);
  if (rules_.matcher) session_ = std::make_unique<match::Session>(rules_.matcher);
  in_campaigns_ns_.assign(rules_.facts.size(), INT64_MIN);
}

void Engine::refuse(std::string_view reason) {
  reason_.assign(reason);
  counters_->records_refused.add();
}

// The topic knows best, then the record's own word, then the sensor, then the addresses.
AgencyIndex Engine::agency_of(const RecordSource& source) {
  if (settings_.single_agency) return home_;
  if (!source.agency.empty()) return agency_named(source.agency);
  if (const auto name = decoder_->text(field_.agency); !name.empty()) return agency_named(name);
  if (const auto name = decoder_->text(field_.metadata_agency); !name.empty())
    return registry_.find(name);
  const std::string_view sensor =
      source.sensor.empty() ? decoder_->text(field_.host) : source.sensor;
  if (const AgencyIndex a = registry_.by_sensor(sensor, to_ns(decoder_->time())); a != kNoAgency)
    return a;
  for (const events::FieldId f : {field_.dest_ip, field_.src_ip}) {
    const auto address = IpAddress::parse(decoder_->text(f));
    if (!address) continue;
    if (const AgencyIndex a = registry_.by_address(*address, to_ns(decoder_->time()));
        a != kNoAgency)
      return a;
  }
  return home_;
}

// Who has followed the agency by the event's time.
AgencyIndex Engine::agency_at_time(AgencyIndex agency, const RecordSource& source) const {
  const auto address = [&](events::FieldId f) {
    return IpAddress::parse(decoder_->text(f)).value_or(IpAddress());
  };
  return registry_.owner_at(agency, to_ns(decoder_->time()),
                            source.sensor.empty() ? decoder_->text(field_.host) : source.sensor,
                            address(field_.dest_ip), address(field_.src_ip));
}

ReadResult Engine::read(std::string_view record, const RecordSource& source) {
  counters_->records.add();
  control_time_ns_ = INT64_MIN;
  if (const events::DecodeError e = decoder_->decode(record); e != events::DecodeError::kNone) {
    refuse(events::reason(e));
    return ReadResult::kRefused;
  }
  AgencyIndex agency = agency_of(source);
  if (agency != kNoAgency && to_ns(decoder_->time()) >= registry_.agencies()[agency].until_ns)
    agency = agency_at_time(agency, source);
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
  for (const uint32_t rule : rules) ++detection_matches_[rule];
  write_fact(rules, source, agency, sensor);
  return ReadResult::kFact;
}

void Engine::write_fact(std::span<const uint32_t> rules, const RecordSource& source,
                        AgencyIndex agency, uint32_t sensor) {
  EventRef ref;
  ref.time_ns = to_ns(decoder_->time());
  ref.rules_epoch = epoch_;
  ref.flow_id = events::unsigned_of(decoder_->text(field_.flow_id)).value_or(0);
  ref.position = source.position;
  ref.sensor = sensor;
  ref.signature_id =
      static_cast<uint32_t>(events::unsigned_of(decoder_->text(field_.signature_id)).value_or(0));
  if (const auto latency = events::unsigned_of(decoder_->text(field_.latency_us)))
    ref.latency_us = static_cast<int32_t>(std::min<uint64_t>(*latency, INT32_MAX));
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
    uint16_t size = kNoValue;
    if (v != nullptr && v->type != events::ValueType::kNull &&
        v->type != events::ValueType::kContainer) {
      size = static_cast<uint16_t>(std::min(v->text.size(), kValueBytesMax));
      fact_.append(v->text.substr(0, size));
    }
    std::memcpy(fact_.data() + sizes_at + i * 2, &size, 2);
  }
}

AgencyIndex Engine::agency_named(std::string_view name) {
  if (const uint32_t* known = agency_cache_.find(name)) return static_cast<AgencyIndex>(*known);
  const AgencyIndex agency = registry_.find(name);
  agency_cache_.put(name, agency);
  return agency;
}

uint32_t Engine::sensor_index(std::string_view name) {
  if (const uint32_t* known = sensor_cache_.find(name)) return *known;
  const uint32_t index = sensor_index_slow(name);
  sensor_cache_.put(name, index);
  return index;
}

uint32_t Engine::sensor_index_slow(std::string_view name) {
  if (const auto it = sensor_ids_.find(name); it != sensor_ids_.end()) return it->second;
  if (sensors_.size() >= kSensorsMax) return static_cast<uint32_t>(sensors_.size() - 1);
  sensors_.emplace_back(name.substr(0, 256));
  sensor_prints_.push_back(stable_print(name));
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
bool Engine::make_key(const FactView& fact, const std::vector<Column>& columns, bool national,
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

}  // namespace vong::correlator
