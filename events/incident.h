// An incident: what a rule found for one key, grown together over time. This is the record of the
// topics vong.incidents.*, of incidents.json, and what exporters read. Its JSON is described by
// schema/incident.schema.json.
//
// A plain value. Every list has a cap (limits.h); what did not fit is counted in the field beside
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"

namespace vong {
class JsonWriter;
}  // namespace vong

namespace vong::events {

enum class IncidentKind : uint8_t { kDetection, kCorrelation, kCampaign };
// kRetracted: events that came late have shown that there was no such incident.
// kReopened: it was closed, and what it is about came back within its rule's reopen_within.
enum class IncidentStatus : uint8_t { kOpen, kUpdated, kClosed, kRetracted, kReopened };
enum class Severity : uint8_t { kInformational = 1, kLow, kMedium, kHigh, kCritical };

[[nodiscard]] std::string_view name_of(IncidentKind kind);
[[nodiscard]] std::string_view name_of(IncidentStatus status);
[[nodiscard]] std::string_view name_of(Severity severity);

// One contributing event. Addresses are texts because they may be pseudonyms.
struct Evidence {
  std::string event_id;  // the same for the same event, whichever way it came
  Timestamp timestamp{};
  std::string sensor, agency;
  std::string event_type;
  uint64_t flow_id = 0;
  uint32_t signature_id = 0;    // 0: not an alert
  std::string src_ip, dest_ip;  // empty: none
  int32_t latency_us = -1;      // of a sensor's life signal; -1: none
};

// What analysts have said about incidents of a rule.
struct VerdictCounts {
  uint32_t true_positives = 0, false_positives = 0;
  [[nodiscard]] uint32_t total() const { return true_positives + false_positives; }
  friend bool operator==(const VerdictCounts&, const VerdictCounts&) = default;
};

// One step in an incident's life, in order of time.
struct TimelineEntry {
  Timestamp time{};
  // opened, severity (value: the new one), agency (its id: first seen in it), system (its id: first
  // concerned), verdict (true_positive or false_positive), closed, reopened
  std::string what, value;
};

struct IncidentRule {
  std::string id, title, type;  // type: detection, or Sigma's name of the correlation
  std::string level;
  std::vector<std::string> tags;
  // Verdicts on its incidents so far: at this incident's agency, and of all agencies that share.
  VerdictCounts agency_verdicts{}, nation_verdicts{};
};

struct Victim {        // one agency's part in a national incident
  std::string agency;  // its id or its pseudonym
  std::string kind;    // ministry, province ...
  uint64_t event_count = 0;
  std::vector<std::string> addresses;
  uint64_t address_count = 0;  // further ones that the agency only counts
};

struct AffectedSystem {
  std::string id, name;
  int level = 0;
};

struct Incident {
  std::string id;
  IncidentKind kind = IncidentKind::kDetection;
  IncidentStatus status = IncidentStatus::kOpen;
  Severity severity = Severity::kMedium;
  uint32_t rank =
      0;  // 0 to 100: what to look at first; severity, weighted with the rule's verdicts
  bool national = false;    // seen across agencies
  std::string agency;       // whose it is; empty when national
  bool anonymised = false;  // this copy has pseudonyms in it
  std::string tlp = "AMBER";
  IncidentRule rule;
  std::vector<std::string> techniques, tactics;          // ATT&CK, from the rule's tags
  std::vector<std::pair<std::string, std::string>> key;  // group-by field -> value
  Timestamp first_seen{}, last_seen{};                   // of the contributing events
  Timestamp opened{}, updated{};                         // event time at which the engine said so
  uint64_t match_count = 0, event_count = 0;
  uint64_t version = 1;  // grows with every update, so readers can keep order
  uint32_t reopened_count = 0;
  std::string verdict;  // true_positive, false_positive; empty: nobody has said yet
  std::vector<TimelineEntry> timeline;
  std::vector<Victim> victims;  // of a national incident
  uint64_t unnamed_agencies = 0;  // further ones that are only counted
  std::vector<AffectedSystem> systems;
  std::vector<std::string> sensors;
  std::vector<std::string> related;     // ids of the incidents that make a campaign
  std::vector<Evidence> evidence;       // in order of time
  uint64_t evidence_dropped = 0;        // contributing events that are not listed
  std::vector<std::string> recipients;  // who gets it
};

// The field `key` of an incident: names and values as an object.
void write_key(const std::vector<std::pair<std::string, std::string>>& key, JsonWriter& w);

// One line of JSON without the newline, appended to `out`.
void write_incident(const Incident& incident, std::string& out);

// The opposite, for readers of topics and files. The error says which field is wrong.
[[nodiscard]] Result<Incident> read_incident(std::string_view json);

}  // namespace vong::events
