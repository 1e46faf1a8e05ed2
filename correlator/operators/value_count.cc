// value_count: at least N different values of a field for one key within the timespan. Remembers
// the N values seen last and when: N different ones are within the timespan exactly when the N-th
// last seen is.
#include "absl/hash/hash.h"
#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class ValueCount : public Operator {
 public:
  ValueCount(const Spec& spec, size_t n)
      : spec_(spec), n_(n), store_(spec.keys_max, ttl_ns(spec)) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    State& s = store_.touch(print_of(fact), now);
    remember(s, fact);
    ++s.unreported;
    if (s.seen.size() < n_) return;
    const int64_t first = s.seen.back().ref.time_ns;
    if (now - first >= spec_.timespan_ns) return;
    report(fact, s, first, out);
  }
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  struct Seen {
    uint64_t value;  // hash of the value
    EventRef ref;    // where it was seen last
  };
  struct State {
    std::vector<Seen> seen;  // latest first, at most n_
    uint64_t unreported = 0;
    Silence silence;
    void warm() const {
      for (size_t i = 0; i < seen.size() && i < 4; ++i) __builtin_prefetch(&seen[i], 1);
    }
  };

  void remember(State& s, const Fact& fact) {
    const uint64_t hash = absl::Hash<std::string_view>()(fact.value);
    size_t i = 0;
    while (i < s.seen.size() && s.seen[i].value != hash) ++i;
    if (i == s.seen.size()) {
      if (s.seen.size() < n_)
        s.seen.emplace_back();
      else
        --i;  // the one seen longest ago goes
    }
    for (; i > 0; --i) s.seen[i] = s.seen[i - 1];
    s.seen[0] = {hash, fact.ref};
  }

  void report(const Fact& fact, State& s, int64_t first, Matches& out) {
    if (s.silence.covers(fact.ref.time_ns)) return;
    Match m{std::string(fact.key),   first, fact.ref.time_ns, s.unreported,
            static_cast<double>(n_), {}};
    const bool growing = spec_.after_match == AfterMatch::kGrow && s.unreported == 1;
    if (growing) {
      m.evidence = {fact.ref};
    } else {
      const size_t n = std::min(s.seen.size(), state::kEvidencePerKeyMax);
      for (size_t i = n; i-- > 0;) m.evidence.push_back(s.seen[i].ref);
    }
    out.push_back(std::move(m));
    s.unreported = 0;
    if (spec_.after_match == AfterMatch::kRestart)
      s = State();
    else if (spec_.after_match == AfterMatch::kSilent)
      s.silence.until_ns = fact.ref.time_ns + spec_.silent_for_ns;
  }

  Spec spec_;
  size_t n_;
  state::KeyedStore<State> store_;
};

}  // namespace

Made make_value_count(const Spec& spec) {
  const auto n = lower_bound_of(spec);
  if (!n) return make_window_count(spec);
  if (*n > static_cast<double>(state::kDistinctMax))
    return fail("value_count can count to 1000 different values at most");
  return std::make_unique<ValueCount>(spec, static_cast<size_t>(*n));
}

}  // namespace vong::operators
