// value_sum, value_avg, value_percentile: a number over the values of one key within the timespan,
// compared at every event. Remembers up to kCountMax values per key; beyond that the oldest go,
// which only matters for keys that bring more than that within one timespan.
#include <deque>

#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class ValueAggregate : public Operator {
 public:
  explicit ValueAggregate(const Spec& spec) : spec_(spec), store_(spec.keys_max, ttl_ns(spec)) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    State& s = store_.touch(print_of(fact), now);
    while (!s.values.empty() && (now - s.values.front().first >= spec_.timespan_ns ||
                                 s.values.size() >= state::kCountMax)) {
      s.sum -= s.values.front().second;
      s.values.pop_front();
    }
    if (s.values.empty()) s.sum = 0;  // rounding must not add up over days
    s.values.emplace_back(now, fact.number);
    s.sum += fact.number;
    s.evidence.add(fact.ref);
    ++s.unreported;
    const double value = aggregate(s);
    if (all_hold(spec_, value)) report(fact, s, value, out);
  }
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  struct State {
    std::deque<std::pair<int64_t, double>> values;  // time, value
    double sum = 0;
    uint64_t unreported = 0;
    Silence silence;
    EvidenceRing evidence;
  };

  [[nodiscard]] double aggregate(const State& s) {
    if (spec_.type == "value_sum") return s.sum;
    if (spec_.type == "value_avg") return s.sum / static_cast<double>(s.values.size());
    // Nearest rank: the least value such that `percentile` percent of all are not above it.
    sorted_.clear();
    for (const auto& [time, value] : s.values) sorted_.push_back(value);
    const double rank = std::ceil(spec_.percentile / 100 * static_cast<double>(sorted_.size()));
    const auto index = static_cast<long>(std::max(rank, 1.0)) - 1;
    std::nth_element(sorted_.begin(), sorted_.begin() + index, sorted_.end());
    return sorted_[static_cast<size_t>(index)];
  }

  void report(const Fact& fact, State& s, double value, Matches& out) {
    if (s.silence.covers(fact.ref.time_ns)) return;
    const int64_t first = s.values.front().first;
    Match m{std::string(fact.key), first, fact.ref.time_ns, s.unreported, value, {}};
    const bool growing = spec_.after_match == AfterMatch::kGrow && s.unreported == 1;
    m.evidence = growing ? std::vector<EventRef>{fact.ref} : s.evidence.since(first);
    out.push_back(std::move(m));
    s.unreported = 0;
    if (spec_.after_match == AfterMatch::kRestart)
      s = State();
    else if (spec_.after_match == AfterMatch::kSilent)
      s.silence.until_ns = fact.ref.time_ns + spec_.silent_for_ns;
  }

  Spec spec_;
  state::KeyedStore<State> store_;
  std::vector<double> sorted_;
};

}  // namespace

Made make_value_aggregate(const Spec& spec) { return std::make_unique<ValueAggregate>(spec); }

}  // namespace vong::operators
