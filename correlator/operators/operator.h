// One correlation rule at work: facts in, matches out. An operator sees facts in order of event
// time (ordering is the caller's business), keeps bounded state per group key, knows no clock, and
// never looks at an event itself.
//
// Times belong together when last - first < timespan (a timespan is open at its end). Single
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "correlator/state/event_ref.h"
#include "correlator/state/fingerprint.h"
#include "correlator/state/limits.h"

namespace vong::operators {

using state::EventRef;

// An event (or a match of another correlation) that one of the rule's references matched.
struct Fact {
  EventRef ref;
  uint64_t steps = 1;      // bit i: the i-th referred rule matched
  std::string_view key;    // the group-by values
  std::string_view value;  // of the condition's field: value_count
  double number = 0;       // the same as a number: value_sum, value_avg, value_percentile
  state::Fingerprint print{};  // of the key; may be left out
};

struct Match {
  std::string key;
  int64_t first_ns = 0, last_ns = 0;  // of the events that belong to it
  uint64_t event_count = 0;           // of those, new since the key's match before
  double value = 0;                   // what the condition was compared with
  std::vector<EventRef> evidence;     // in order of time; at most kEvidencePerKeyMax
};
using Matches = std::vector<Match>;

enum class Compare : uint8_t { kLt, kLte, kGt, kGte, kEq, kNeq };
[[nodiscard]] bool holds(Compare compare, double value, double limit);

enum class AfterMatch : uint8_t {
  kGrow,     // every further event for which the condition holds is a match again
  kRestart,  // the key starts anew, as if nothing had been seen
  kSilent,   // the key's matches are not told for silent_for; its events go on counting
};

struct Spec {
  std::string type;  // Sigma's name: event_count ...
  int64_t timespan_ns = 0;
  size_t steps = 1;
  std::vector<std::pair<Compare, double>> conditions;  // all must hold
  double percentile = 50;
  AfterMatch after_match = AfterMatch::kGrow;
  int64_t silent_for_ns = 0;
  int64_t learn_ns = -1;  // of first_seen and rate: nothing is said before; negative: their default
  size_t keys_max = state::kKeysPerRuleMax;
  // Extended temporal condition: whether this set of steps is what the rule wants. Empty: all
  // steps.
  std::function<bool(uint64_t)> wanted_steps;
};

class Operator {
 public:
  virtual ~Operator() = default;
  virtual void on_fact(const Fact& fact, Matches& out) = 0;
  // A fact of this key comes soon: see KeyedStore::warm.
  virtual void warm(state::Fingerprint print, int stage) = 0;
  // No fact before `now_ns` will come any more: what waits for the end of a timespan may decide.
  virtual void advance(int64_t now_ns, Matches& out) { (void)now_ns, (void)out; }
  [[nodiscard]] virtual bool timed() const { return false; }  // whether advance() does anything
  // When advance() has something to decide next; kNoDeadline: nothing waits. Who advances several
  // operators goes from deadline to deadline, so that what comes out does not depend on how far
  // each call goes.
  [[nodiscard]] virtual int64_t next_deadline_ns() const { return kNoDeadline; }
  static constexpr int64_t kNoDeadline = INT64_MAX;
  // The input has ended: as advance, to the end of time.
  virtual void finish(Matches& out) { (void)out; }
  [[nodiscard]] virtual size_t keys() const = 0;
  [[nodiscard]] virtual uint64_t evictions() const = 0;
};

// By type and condition; fails when the spec asks for more than the caps or makes no sense. The
// message has no file name.
[[nodiscard]] Result<std::unique_ptr<Operator>> make_operator(const Spec& spec);

}  // namespace vong::operators
