// Records in, incidents out. Everything between is event time: two runs over the same records, in
// any order that keeps each sensor's own, give the same incidents. Single thread.
//
//   read(record) -> a fact, when a rule matched; the caller orders facts (ingest/order.h)
//   process(fact) in order -> operators, incidents; advance(time), finish()
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/string_map.h"
#include "correlator/app/compiled_rules.h"
#include "correlator/app/figures.h"
#include "correlator/app/name_cache.h"
#include "correlator/app/raised.h"
#include "correlator/enrich/registry.h"
#include "correlator/incidents/incident_store.h"
#include "correlator/ingest/order.h"
#include "correlator/routing/router.h"
#include "correlator/state/keyed_store.h"
#include "correlator/verdicts/history.h"
#include "events/eve_decoder.h"

namespace vong::correlator {

struct FactView;
struct RulesInForce;
enum class Control : uint16_t;

struct EngineCounters {
  Counter records, records_refused, records_matched, facts_processed, facts_late, facts_without_key,
      matches, incidents_opened, campaigns_opened, state_evictions, verdicts_true, verdicts_false,
      verdicts_refused;
};

// Work divided over engines (docs/scaling.md). Those with index < of have the groups of the
// correlations, each group in one of them, and tell what they raise; the leader (index == of) makes
// incidents of that, of detections, and of verdicts.
struct Share {
  uint32_t index = 0, of = 0;  // of == 0: one engine does all
  [[nodiscard]] bool all() const { return of == 0; }
  [[nodiscard]] bool leads() const { return of > 0 && index == of; }
};

struct EngineSettings {
  CampaignSettings campaign;
  size_t keys_max = 1'000'000;
  size_t incidents_max = incidents::kOpenMax;  // beyond, one is closed early
  int64_t update_interval_ns = INT64_MAX;  // offline nobody wants the steps in between
  std::string home_agency;     // of events that nothing else assigns; empty: they are refused
  std::string id_salt;         // of incident ids
  bool single_agency = false;  // every event is the home agency's, whatever it says
  Share share;
  bool reads = true;  // false: only process() and what follows, no records
  std::shared_ptr<const indicators::Source> indicators;  // lists that rules ask; null: none
};

// What a record is known by besides its content.
struct RecordSource {
  std::string_view agency;  // from the topic or a header; empty: look into the record
  std::string_view sensor;  // from a header; empty: the field host
  uint64_t position = 0;    // seq, or the line number
};

enum class ReadResult : uint8_t { kNoMatch, kFact, kRefused };

class Engine {
 public:
  // Told of each change of an incident, as its agency sees it (whole). Valid during the call.
  using IncidentSink = std::function<void(const events::Incident& incident)>;

  Engine(const enrich::Registry& registry, const routing::Router& router, EngineSettings settings,
         EngineCounters& counters, IncidentSink sink);
  ~Engine();

  // Of an engine with a share: told what it raises. Before the first fact.
  using RaiseSink = std::function<void(const Raised& raised)>;
  void send_raised(RaiseSink sink) { raise_sink_ = std::move(sink); }

  // Compiles `rules` and loads them; before the first record. What is wrong goes to `diagnostics`.
  void load(const sigma::RuleSet& rules, std::vector<rules::Diagnostic>& diagnostics);
  // The first half, on any thread; takes its time.
  [[nodiscard]] static std::unique_ptr<RuleProgram> compile(
      const sigma::RuleSet& rules, const EngineSettings& settings,
      std::vector<rules::Diagnostic>& diagnostics);
  // The same of rules whose diagnostics were reported before.
  [[nodiscard]] static std::unique_ptr<RuleProgram> compile(const sigma::RuleSet& rules,
                                                            const EngineSettings& settings) {
    std::vector<rules::Diagnostic> reported_before;
    return compile(rules, settings, reported_before);
  }
  // The second.
  void load(std::unique_ptr<RuleProgram> program);

  // --- other rules while it works (engine_rules.cc) ---
  struct Swapped {
    size_t kept = 0, added = 0, dropped = 0;  // rules
    size_t dropped_keys = 0;                  // of correlations that are gone
    size_t dropped_incidents = 0;             // that were open; told as closed
    bool campaigns_anew = false;              // they stood on incidents of rules that are gone
    bool stale = false;  // a replay with the rules of now would not stand where this engine stands
  };
  // Between two facts, in the place of the rules in force. Those that are the same keep what they
  // remember, numbers of sensors and event types stay; what the others knew is gone. Rules that are
  // new see what is read from `epoch` on.
  // What becomes of campaigns that stand on incidents of a rule that goes: they are closed and begin
  // anew, or stay as they are, and the caller works out by a replay what they are without it.
  enum class Campaigns : uint8_t { kBeginAnew, kStale };
  Swapped swap(std::unique_ptr<RuleProgram> program, uint32_t epoch,
               Campaigns campaigns = Campaigns::kBeginAnew);
  // A fact from before the last swap in the numbers of now. False: none of its rules is left.
  [[nodiscard]] bool translate(std::string_view fact, std::string& out) const;
  // The same of an incident rule; kGone: it is not there any more.
  [[nodiscard]] uint32_t incident_rule_now(uint32_t before) const { return moved_.facts[before]; }
  // What of the log said about the rules since when; before the first fact of a replay.
  void apply(const RulesInForce& in_force);
  // Of the facts that are written next: how often the rules had been changed.
  void set_epoch(uint32_t epoch) { epoch_ = epoch; }
  [[nodiscard]] uint32_t since(uint32_t incident_rule) const { return rules_.since[incident_rule]; }
  // Event time that campaigns begin after; INT64_MIN: the beginning.
  [[nodiscard]] int64_t campaigns_since_ns() const { return campaigns_since_ns_; }
  [[nodiscard]] int64_t now_ns() const { return now_ns_; }

  // kRecordPaddingBytes readable bytes behind `record`. After kFact: key() and fact() until the
  // next call; after kRefused: reason().
  [[nodiscard]] ReadResult read(std::string_view record, const RecordSource& source);
  // An analyst's verdict, which takes its place among the events by its own time. As read().
  [[nodiscard]] ReadResult read_verdict(std::string_view record, uint64_t position);
  // Who said the verdict read last; kNoAgency: the centre.
  [[nodiscard]] enrich::AgencyIndex verdict_agency() const { return verdict_agency_; }
  // The next records lie in `block`; see EveDecoder::index_block.
  void expect(std::string_view block) { decoder_->index_block(block); }
  [[nodiscard]] const ingest::OrderKey& key() const { return key_; }
  [[nodiscard]] std::string_view fact() const { return fact_; }
  [[nodiscard]] std::string_view reason() const { return reason_; }
  // Of the event or verdict read last.
  [[nodiscard]] int64_t time_ns() const {
    return control_time_ns_ != INT64_MIN ? control_time_ns_ : to_ns(decoder_->time());
  }

  // A fingerprint of the sensor of the record read last.
  [[nodiscard]] uint64_t sensor_print() const { return sensor_print_; }

  // In order of event time, from call to call too.
  void process(std::span<const std::string_view> facts);
  void process(std::string_view fact) { process(std::span(&fact, 1)); }
  void advance(int64_t now_ns);
  // What an engine with a share raised, in order with the facts: by Raised::order, facts by
  // facts_order().
  void take(const Raised& raised);
  // Appends which of `of` shares, and of the leader (`of`), need the fact that was read last.
  void shares_of(std::string_view fact, uint32_t of, std::vector<uint32_t>& out);

  // The figures for the centre that have changed since the last call (figures.h).
  void tell_figures(const Figures::Sink& sink);

  // Of an engine that is given another's facts and reads nothing itself: names in the order of the
  // other's numbers.
  [[nodiscard]] size_t sensor_count() const { return sensors_.size(); }
  [[nodiscard]] size_t event_type_count() const { return event_types_.size(); }
  [[nodiscard]] uint64_t sensor_print_of(uint32_t index) const { return sensor_prints_[index]; }
  void adopt_sensor(std::string name, uint64_t print) {
    sensors_.push_back(std::move(name));
    sensor_prints_.push_back(print);
  }
  void adopt_event_type(std::string name) { event_types_.push_back(std::move(name)); }
  void adopt_detection_matches(const Engine& reader) {
    detection_matches_ = reader.detection_matches_;
  }

  // --- what the numbers in a fact mean here ---
  [[nodiscard]] uint32_t sensor_index(std::string_view name);
  [[nodiscard]] const std::string& sensor_name(uint32_t index) const { return sensors_[index]; }
  [[nodiscard]] uint16_t event_type_index(std::string_view name);
  [[nodiscard]] const std::string& event_type_name(uint16_t i) const { return event_types_[i]; }
  [[nodiscard]] enrich::AgencyIndex agency_named(std::string_view name);
  [[nodiscard]] std::string_view agency_name(enrich::AgencyIndex agency) const;
  [[nodiscard]] const CompiledRules& rules() const { return rules_; }
  // Of rule_name(); nothing when no such rule is in force.
  [[nodiscard]] std::optional<uint32_t> detection_named(std::string_view name) const;
  [[nodiscard]] std::optional<uint32_t> incident_rule_named(std::string_view name) const;
  // Its id and its print: another version of it has another name.
  [[nodiscard]] const std::string& rule_name(uint32_t incident_rule) const {
    return rule_names_[incident_rule];
  }

  // What readers have not been told yet, when nothing more comes at present; changes nothing.
  void tell_untold() { store_->tell_untold(); }
  void finish();

  [[nodiscard]] const EngineCounters& counters() const { return *counters_; }
  [[nodiscard]] EngineCounters& counters() { return *counters_; }
  // From now on counts there.
  void count_into(EngineCounters& counters) { counters_ = &counters; }
  struct RuleMatches {
    std::string_view title;
    uint64_t matches;  // of a detection: events
    std::string_view id, type;
  };
  // Of all rules that were loaded, in their order.
  [[nodiscard]] std::vector<RuleMatches> rule_matches() const;
  [[nodiscard]] std::vector<RuleMatches> correlation_matches() const;
  [[nodiscard]] size_t open_incidents() const { return store_ ? store_->open_count() : 0; }
  [[nodiscard]] size_t keys() const;

 private:
  struct CampaignState {
    std::vector<std::string> related;
  };
  struct Task {  // one call of an operator
    const Step* step = nullptr;
    uint64_t bits = 0;
    size_t key_at = 0, key_size = 0;  // in keys_
    state::Fingerprint print{};
    uint32_t ordinal = 0;  // among all that the fact has to be asked, here or elsewhere
    size_t value_at = 0, value_size = 0;  // in keys_
    double number = 0;
  };
  static constexpr int kWarmStages = 3;
  void refuse(std::string_view reason);
  [[nodiscard]] enrich::AgencyIndex agency_of(const RecordSource& source);
  [[nodiscard]] enrich::AgencyIndex agency_at_time(enrich::AgencyIndex agency,
                                                   const RecordSource& source) const;
  [[nodiscard]] uint32_t sensor_index_slow(std::string_view name);
  void write_fact(std::span<const uint32_t> rules, const RecordSource& source,
                  enrich::AgencyIndex agency, uint32_t sensor);
  [[nodiscard]] bool make_key(const FactView& fact, const std::vector<Column>& columns,
                              bool national, std::string& out) const;
  void prepare(const FactView& fact);
  void prepare(const FactView& fact, const Step& step, uint32_t ordinal);
  [[nodiscard]] bool mine(const CorrelationPlan& plan, std::string_view key) const;
  void make_names();
  void install(std::unique_ptr<RuleProgram> program);
  [[nodiscard]] bool campaigns_stand_on_what_is_gone(const CompiledRules& old,
                                               std::span<const int64_t> in_campaigns_ns) const;
  [[nodiscard]] uint32_t epoch_at_work() const;
  void raise_detections(const FactView& fact);
  void run(const state::EventRef& ref, const Task& task);
  void take_matches(uint32_t correlation, operators::Matches& matches, size_t depth);
  void chain(uint32_t correlation, const operators::Match& match, size_t depth);
  [[nodiscard]] int64_t next_deadline_ns() const;
  void raise(uint32_t incident_rule, bool national, const operators::Match& match);
  void send_away(uint32_t incident_rule, bool national, const operators::Match& match);
  void set_systems(incidents::Hit& hit) const;
  void set_standing(incidents::Hit& hit) const;
  [[nodiscard]] bool shares(enrich::AgencyIndex agency) const;
  [[nodiscard]] incidents::Standing standing_of(verdicts::RuleNumber rule,
                                                enrich::AgencyIndex agency) const;
  void watch_campaigns(const incidents::Hit& hit, std::string_view id);
  void watch_campaign(CampaignBy by, const incidents::Hit& hit, std::string_view id,
                      std::string_view subject);
  [[nodiscard]] bool is_outside(const IpAddress& address) const;
  [[nodiscard]] std::string_view column_of_current(Column column) const;
  void write_control(Control kind, int64_t time_ns, uint64_t stream, uint64_t position,
                     std::string_view bytes);
  void control(const FactView& fact, std::string_view bytes);
  void take_verdict(int64_t time_ns, std::string_view bytes);
  void render_timeline(const incidents::Open& open, events::Incident& out) const;
  void render(const incidents::Open& open, events::IncidentStatus status);

  const enrich::Registry& registry_;
  const routing::Router& router_;
  EngineSettings settings_;
  IncidentSink sink_;
  RaiseSink raise_sink_;
  events::FieldPlan plan_;
  CompiledRules rules_;
  std::unique_ptr<events::EveDecoder> decoder_;
  std::unique_ptr<match::Session> session_;
  std::unique_ptr<incidents::IncidentStore> store_;
  std::unique_ptr<state::KeyedStore<CampaignState>> campaigns_;
  std::vector<uint32_t> timed_;
  std::vector<uint64_t> detection_matches_;  // events
  std::vector<events::FieldId> column_fields_;
  std::vector<uint8_t> takes_part_;  // by agency
  enrich::AgencyIndex home_ = enrich::kNoAgency;
  struct {
    events::FieldId agency, metadata_agency, host, flow_id, event_type, src_ip, dest_ip,
        signature_id, latency_us;
  } field_{};
  std::vector<std::string> sensors_, event_types_;
  std::vector<uint64_t> sensor_prints_;
  StringMap<uint32_t> sensor_ids_, event_type_ids_;
  NameCache agency_cache_, sensor_cache_;
  StringMap<uint32_t> detection_ids_, incident_rule_ids_;  // by rule_name()
  std::vector<std::string> rule_names_;                    // by incident rule
  struct {
    std::vector<uint32_t> detections, facts, columns;  // of before, columns: of now
  } moved_;                                            // by the last swap
  std::vector<std::pair<int64_t, uint32_t>> epochs_;   // event time after which each began
  uint32_t epoch_ = 0;
  int64_t campaigns_since_ns_ = INT64_MIN;
  std::vector<int64_t> in_campaigns_ns_;  // by incident rule: when it last took part in one
  ingest::OrderKey key_;
  uint64_t sensor_print_ = 0;
  enrich::AgencyIndex verdict_agency_ = enrich::kNoAgency;
  int64_t control_time_ns_ = INT64_MIN;  // of the record read last, if it is no event
  uint16_t last_event_type_ = 0;
  std::string fact_, reason_, group_key_, chain_key_;
  operators::Matches matches_;
  std::vector<Task> tasks_;  // of the facts at hand, an empty one behind each fact's
  std::string keys_;
  verdicts::History verdicts_;
  Figures figures_;
  absl::flat_hash_map<uint64_t, uint32_t> rules_by_print_;  // incident rules
  const FactView* current_ = nullptr;  // at work; null while only time moves
  const Raised* taken_ = nullptr;      // at work, instead of a fact
  ingest::OrderKey raise_order_;       // of what is raised next
  int64_t now_ns_ = INT64_MIN;
  EngineCounters* counters_;  // the caller's: they outlive an engine that is made anew
};

}  // namespace vong::correlator
