// The operators' makers, one per file; the table in registry.cc names them. Internal to the room.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "correlator/operators/operator.h"

namespace vong::operators {

using Made = Result<std::unique_ptr<Operator>>;

Made make_event_count(const Spec& spec);
Made make_value_count(const Spec& spec);
Made make_temporal(const Spec& spec);
Made make_temporal_ordered(const Spec& spec);
Made make_value_aggregate(const Spec& spec);
Made make_window_count(
    const Spec& spec);  // event_count and value_count with a condition that needs the whole window
Made make_absence(const Spec& spec);
Made make_first_seen(const Spec& spec);
Made make_rate(const Spec& spec);

// The least whole number that satisfies conditions which only ask for "enough"; nothing when one
// sets an upper bound.
[[nodiscard]] inline std::optional<double> lower_bound_of(const Spec& spec) {
  double n = 1;
  for (const auto& [compare, limit] : spec.conditions) {
    if (compare == Compare::kGte)
      n = std::max(n, std::ceil(limit));
    else if (compare == Compare::kGt)
      n = std::max(n, std::floor(limit) + 1);
    else
      return std::nullopt;
  }
  return n;
}

[[nodiscard]] inline bool all_hold(const Spec& spec, double value) {
  return std::all_of(spec.conditions.begin(), spec.conditions.end(),
                     [&](const auto& c) { return holds(c.first, value, c.second); });
}

// How long a key's state can still matter after its last event.
[[nodiscard]] inline int64_t ttl_ns(const Spec& spec) {
  return std::max(spec.timespan_ns,
                  spec.after_match == AfterMatch::kSilent ? spec.silent_for_ns : 0) +
         1;
}

// The last few events of a key, oldest dropped first.
class EvidenceRing {
 public:
  void add(const EventRef& ref) {
    if (refs_.size() < state::kEvidencePerKeyMax) {
      refs_.push_back(ref);
    } else {
      refs_[next_] = ref;
      next_ = (next_ + 1) % refs_.size();
    }
  }
  // Those not older than `from_ns`, in order of time.
  [[nodiscard]] std::vector<EventRef> since(int64_t from_ns) const {
    std::vector<EventRef> out;
    for (size_t i = 0; i < refs_.size(); ++i) {
      const EventRef& r = refs_[(next_ + i) % refs_.size()];
      if (r.time_ns >= from_ns) out.push_back(r);
    }
    return out;
  }
  void warm() const {
    if (next_ < refs_.size()) __builtin_prefetch(&refs_[next_], 1);
  }
  void clear() {
    refs_.clear();
    next_ = 0;
  }

 private:
  std::vector<EventRef> refs_;
  size_t next_ = 0;
};

[[nodiscard]] inline state::Fingerprint print_of(const Fact& fact) {
  return fact.print == state::Fingerprint() ? state::fingerprint_of(fact.key) : fact.print;
}

// AfterMatch::kSilent: matches are not told until then, but their events count.
struct Silence {
  int64_t until_ns = INT64_MIN;
  [[nodiscard]] bool covers(int64_t now_ns) const { return now_ns < until_ns; }
};

}  // namespace vong::operators
