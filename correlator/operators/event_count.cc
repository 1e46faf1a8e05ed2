// event_count: at least N events of a key within the timespan. Remembers the times of the last N
// events, no more: the condition holds exactly when the N-th last of them is young enough.
#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class EventCount : public Operator {
 public:
  EventCount(const Spec& spec, size_t n)
      : spec_(spec), n_(n), store_(spec.keys_max, ttl_ns(spec)) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    State& s = store_.touch(print_of(fact), now);
    if (s.times.size() < n_) {
      s.times.push_back(now);
    } else {
      s.times[s.next] = now;
      s.next = static_cast<uint32_t>((s.next + 1) % n_);
    }
    s.evidence.add(fact.ref);
    ++s.unreported;
    if (s.times.size() < n_) return;
    const int64_t first = s.times[s.next];
    if (now - first >= spec_.timespan_ns) return;
    report(fact, s, first, out);
  }
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  struct State {
    std::vector<int64_t> times;  // a ring once it has n_ entries
    uint32_t next = 0;           // its oldest entry
    uint64_t unreported = 0;     // events since the match before
    Silence silence;
    EvidenceRing evidence;
    void warm() const {
      if (next < times.size()) __builtin_prefetch(&times[next], 1);
      evidence.warm();
    }
  };

  void report(const Fact& fact, State& s, int64_t first, Matches& out) {
    if (s.silence.covers(fact.ref.time_ns)) return;
    Match m{std::string(fact.key),   first, fact.ref.time_ns, std::min<uint64_t>(s.unreported, n_),
            static_cast<double>(n_), {}};
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
  size_t n_;
  state::KeyedStore<State> store_;
};

}  // namespace

Made make_event_count(const Spec& spec) {
  const auto n = lower_bound_of(spec);
  if (!n) return make_window_count(spec);
  if (*n > static_cast<double>(state::kCountMax))
    return fail("event_count can count to 10000 at most");
  return std::make_unique<EventCount>(spec, static_cast<size_t>(*n));
}

}  // namespace vong::operators
