// Matches to incidents: one incident per rule, agency and key, that grows while matches keep coming
// and is closed when event time has passed its last news by close_after. The result is a function
// of the matches and their order, nothing else.
//
// Single thread. Times are event time in nanoseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/string_map.h"
#include "base/strings.h"
#include "correlator/incidents/limits.h"
#include "correlator/state/event_ref.h"
#include "events/incident.h"

namespace vong::incidents {

using state::AgencyIndex;
using state::EventRef;
using state::kNoAgency;

// What an incident takes from its rule; made once per rule.
struct RuleFacts {
  events::IncidentRule rule;
  events::IncidentKind kind = events::IncidentKind::kDetection;
  events::Severity severity = events::Severity::kMedium;
  std::vector<std::string> techniques, tactics;
  std::vector<std::string> key_fields;
  int64_t close_after_ns = 0;
  int64_t reopen_within_ns = 0;  // after it was closed; 0: a new one is made
};

// Fills techniques and tactics from tags such as attack.t1110.001 and attack.credential-access.
void read_attack_tags(const std::vector<std::string>& tags, RuleFacts& out);

// What analysts have said about a rule's incidents until now.
struct Standing {
  events::VerdictCounts agency, nation;
};

enum class Step : uint8_t { kOpened, kSeverity, kAgency, kSystem, kVerdict, kClosed, kReopened };
inline constexpr uint32_t kQuiet = 0, kRuleGone = 1;  // why it was closed
struct TimelineStep {
  int64_t time_ns;
  Step step;
  uint32_t value;  // the severity, agency, system (as indices), 1 for a true positive; kClosed: why
};

struct Hit {
  uint32_t rule = 0;                    // index into the store's rules
  AgencyIndex agency = kNoAgency;       // kNoAgency: national
  std::string_view key;                 // tells incidents of one rule and agency apart
  std::vector<std::string> key_values;  // beside RuleFacts::key_fields
  int64_t first_ns = 0, last_ns = 0;
  uint64_t event_count = 0;
  std::span<const EventRef> evidence;
  std::vector<uint16_t> systems;         // protected systems concerned, as indices of the registry
  int system_level = 0;                  // the highest of their levels
  std::span<const std::string> related;  // ids of incidents that belong to this campaign
  Standing standing{};
  bool less_severe = false;  // by one step: analysts have found next to nothing in this rule
};

struct Open {
  std::string id;
  uint32_t rule = 0;
  AgencyIndex agency = kNoAgency;
  std::vector<std::string> key_values;
  events::Severity severity = events::Severity::kMedium;
  int64_t first_ns = 0, last_ns = 0, opened_ns = 0, updated_ns = 0, told_ns = 0;
  uint32_t reopened = 0;
  uint64_t match_count = 0, event_count = 0, evidence_dropped = 0, version = 0;
  bool untold = false;  // something has changed since told_ns
  events::IncidentStatus status = events::IncidentStatus::kOpen;
  bool closed = false;  // kept for a while, in case it comes back
  int64_t closed_ns = 0;
  uint32_t closings = 0, verdicts = 0;
  uint64_t deadline = 0;  // serial of the deadline that counts
  int8_t verdict = -1;    // 1: true positive, 0: false positive, -1: none
  Standing standing{};    // as of its last news
  std::vector<TimelineStep> timeline;
  std::vector<EventRef> evidence;
  std::vector<std::pair<AgencyIndex, uint64_t>> agencies;  // events of each
  std::vector<uint32_t> sensors;
  std::vector<uint16_t> systems;
  std::vector<std::string> related;
};

class IncidentStore {
 public:
  static constexpr int64_t kFinalOnly = INT64_MAX;

  // Told of every change that readers should know: opened, updated (at most every
  // `update_interval_ns` of event time, at once when the severity rises; what came in between is
  // told when that time is over), closed. `incident` is valid during the call.
  using Listener = std::function<void(const Open& incident, events::IncidentStatus status)>;

  // `id_salt`: the same for all processes whose incidents shall have the same ids.
  IncidentStore(std::vector<RuleFacts> rules, int64_t update_interval_ns, std::string id_salt,
                Listener listener, size_t open_max = kOpenMax)
      : rules_(std::move(rules)),
        update_interval_ns_(update_interval_ns),
        id_salt_(std::move(id_salt)),
        listener_(std::move(listener)),
        open_max_(open_max) {
    for (uint32_t i = 0; i < rules_.size(); ++i) slots_.push_back(next_slot_++);
  }

  // Returns the incident's id, valid until the next call.
  std::string_view add(const Hit& hit);
  // An analyst's word on the incident of that id; `standing` with this word in it. False when it is
  // not here any more.
  bool judge(std::string_view id, bool true_positive, const Standing& standing, int64_t now_ns);
  // Event time has reached `now_ns`: tells what had to wait, closes what is quiet.
  void advance(int64_t now_ns);
  // Tells what still waits for its turn, and changes nothing: for readers of a stream that has
  // paused. Who calls it again tells it again.
  void tell_untold();
  // Other rules: `place[i]` is where the i-th of those before stands among them, kGone nowhere. What
  // is open of those that are gone is closed at `now_ns` and told so, in order of first_seen and id,
  // and forgotten. Gives how many were open.
  static constexpr uint32_t kGone = 0xffffffff;
  size_t replace_rules(std::vector<RuleFacts> rules, std::span<const uint32_t> place,
                       int64_t now_ns);
  // The earliest first_ns of the incidents that are here of this rule; INT64_MAX: none.
  [[nodiscard]] int64_t earliest_ns(uint32_t rule) const;
  // The input has ended: tells the last state of everything that is still open, in order of
  // first_seen and id.
  void finish();

  [[nodiscard]] const RuleFacts& rule(uint32_t index) const { return rules_[index]; }
  [[nodiscard]] size_t open_count() const { return open_.size() - closed_; }  // not the closed
  [[nodiscard]] uint64_t opened_total() const { return opened_total_; }
  [[nodiscard]] uint64_t closed_early_total() const { return closed_early_total_; }

 private:
  struct Deadline {
    int64_t at_ns;
    uint64_t serial;
    std::string key;
    bool operator>(const Deadline& o) const {
      return std::pair(at_ns, serial) > std::pair(o.at_ns, o.serial);
    }
  };
  [[nodiscard]] Open make(const Hit& hit) const;
  void grow(Open& incident, const Hit& hit) const;
  void tell(Open& incident);
  void tell_first_waiting();
  void close_or_wait(const Deadline& deadline, int64_t now_ns);
  bool forget_first();
  void close_first();
  void close(Open& incident);
  void set_deadline(Open& incident, int64_t at_ns, const std::string& key);
  void reopen(Open& incident, int64_t now_ns);
  void drop(StringMap<std::unique_ptr<Open>>::iterator it);
  [[nodiscard]] Open* find_id(std::string_view id);
  [[nodiscard]] bool tells_changes() const { return update_interval_ns_ != kFinalOnly; }

  std::vector<RuleFacts> rules_;
  std::vector<uint32_t> slots_;  // by rule: its number in keys, which it keeps
  uint32_t next_slot_ = 0;
  int64_t update_interval_ns_;
  std::string id_salt_;
  Listener listener_;
  size_t open_max_;
  StringMap<std::unique_ptr<Open>> open_;
  using Deadlines = std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>>;
  Deadlines deadlines_;  // of closing: one per open incident, perhaps too early
  Deadlines kept_;       // of forgetting: one per closed incident that may still come back
  Deadlines waiting_;    // of telling: one per time that an incident became untold
  absl::flat_hash_map<uint64_t, Open*> by_id_;  // by the id's number
  size_t closed_ = 0;                           // of open_
  uint64_t serial_ = 0, opened_total_ = 0, closed_early_total_ = 0;
  std::string scratch_;
};

}  // namespace vong::incidents
