// A Sigma rule set as the engine runs it. Immutable except for the operators' state; made anew on
// reload.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "correlator/incidents/incident_store.h"
#include "correlator/indicators/source.h"
#include "correlator/match/rule_matcher.h"
#include "correlator/operators/operator.h"
#include "events/field_plan.h"
#include "rules/network/diagnostic.h"
#include "rules/sigma/rule.h"

namespace vong::correlator {

// Where a fact's value comes from: a column (a field of the event), or the agency as the registry
// names it.
using Column = int16_t;
inline constexpr Column kAgencyColumn = -1;
inline constexpr Column kNoColumn = -2;

// What happens to a fact of one rule within one correlation.
struct Step {
  uint32_t correlation = 0;
  uint64_t bit = 1;
  std::vector<Column> key;
  std::vector<Column> values;  // of the condition's fields; empty: none
  std::optional<double> risk;  // the number, instead of a value (sigma::kRiskField)
};

struct DetectionPlan {
  std::vector<Step> steps;
  bool standalone = true;  // makes incidents of its own
  bool national = false;
  std::vector<Column> key;  // of these incidents
  uint32_t incident_rule = 0;
};

struct CorrelationPlan {
  std::unique_ptr<operators::Operator> op;
  bool national = false;
  bool numeric = false;                 // wants Fact::number
  bool emits = true;                    // makes incidents
  bool timed = false;                   // wants advance()
  std::vector<std::string> key_fields;  // as shown in incidents
  // When this correlation's matches are facts of others: the step, with columns as positions in its
  // own key.
  std::vector<Step> steps;
  uint32_t incident_rule = 0;
  uint64_t matches = 0;
  // Which engine has a group when groups are divided: by this and the group key; with `whole` by
  // this alone, because correlations that build on each other need not group alike.
  std::string route;
  uint64_t route_print = 0;
  bool whole = false;
};

// What agencies can have in common.
enum class CampaignBy : uint8_t { kSource, kDomain, kCertificate, kJa4, kTechnique, kRule };
inline constexpr size_t kCampaignKinds = 6;
// As the configuration calls it, and the key field of such an incident.
[[nodiscard]] std::string_view name_of(CampaignBy by);
[[nodiscard]] std::string_view key_field_of(CampaignBy by);

struct CampaignSettings {
  bool enabled = true;
  size_t agencies = 3;
  uint32_t by = (1u << kCampaignKinds) - 1;  // bits of CampaignBy
  std::string warning_tlp = "GREEN";
  int64_t window_ns = 3'600'000'000'000;
  events::Severity severity_min = events::Severity::kMedium;  // of the incidents that count
};

struct CompiledRules {
  std::shared_ptr<const match::RuleMatcher> matcher;
  std::vector<DetectionPlan> detections;
  std::vector<CorrelationPlan> correlations;
  std::vector<std::string> columns;         // field paths
  std::vector<incidents::RuleFacts> facts;  // by incident_rule; the last are the campaigns'
  // By incident_rule too: what the rule does, and makes of it, as a number that no other has. Equal
  // in another set: the same rule.
  std::vector<uint64_t> prints;
  // Since which change of the rules it is in force: it sees what was read since (rules_in_force.h).
  std::vector<uint32_t> since;
  std::unique_ptr<operators::Operator> campaign;
  std::array<uint32_t, kCampaignKinds> campaign_rules{};  // incident rules, by CampaignBy
  // Columns of the events' infrastructure; kNoColumn where nobody asks.
  Column sni = kNoColumn, hostname = kNoColumn, rrname = kNoColumn, certificate = kNoColumn,
         ja4 = kNoColumn;
  [[nodiscard]] std::array<Column, 5> infrastructure() const {
    return {sni, hostname, rrname, certificate, ja4};
  }
};

// The same with the fields that it asks: what an engine is given. Made beside it, on any thread.
struct RuleProgram {
  events::FieldPlan plan;
  CompiledRules rules;
};

// Adds every field that the rules need to `plan`. What cannot run is reported and left out.
// `indicators`: see RuleMatcher::compile. Without a matcher it only processes facts.
[[nodiscard]] CompiledRules compile_rules(
    const sigma::RuleSet& rules, const CampaignSettings& campaign, size_t keys_max,
    events::FieldPlan& plan, std::vector<rules::Diagnostic>& diagnostics,
    std::shared_ptr<const indicators::Source> indicators = nullptr, bool with_matcher = true);

}  // namespace vong::correlator
