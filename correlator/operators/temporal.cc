// temporal: all referred rules matched for one key within the timespan, in any order; or, with a
// condition over the rules
// ("a and b and not c"), the set of those that matched is one that it wants. Remembers the latest
// event of each rule.
#include <bit>

#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class Temporal : public Operator {
 public:
  explicit Temporal(const Spec& spec) : spec_(spec), store_(spec.keys_max, ttl_ns(spec)) {
    all_ = spec.steps == 64 ? ~uint64_t{0} : (uint64_t{1} << spec.steps) - 1;
  }

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    State& s = store_.touch(print_of(fact), now);
    if (s.latest.empty()) s.latest.resize(spec_.steps);
    for (size_t i = 0; i < spec_.steps; ++i) {
      if (fact.steps >> i & 1) s.latest[i] = fact.ref;
    }
    s.seen |= fact.steps & all_;
    ++s.unreported;
    uint64_t within = 0;
    int64_t first = now;
    for (size_t i = 0; i < spec_.steps; ++i) {
      if ((s.seen >> i & 1) == 0 || now - s.latest[i].time_ns >= spec_.timespan_ns) continue;
      within |= uint64_t{1} << i;
      first = std::min(first, s.latest[i].time_ns);
    }
    if (spec_.wanted_steps ? spec_.wanted_steps(within) : within == all_)
      report(fact, s, within, first, out);
  }
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  struct State {
    std::vector<EventRef> latest;  // by step
    uint64_t seen = 0;             // steps that have one
    uint64_t unreported = 0;
    Silence silence;
  };

  void report(const Fact& fact, State& s, uint64_t within, int64_t first, Matches& out) {
    if (s.silence.covers(fact.ref.time_ns)) return;
    Match m{std::string(fact.key),
            first,
            fact.ref.time_ns,
            s.unreported,
            static_cast<double>(std::popcount(within)),
            {}};
    for (size_t i = 0; i < spec_.steps && m.evidence.size() < state::kEvidencePerKeyMax; ++i) {
      if (within >> i & 1) m.evidence.push_back(s.latest[i]);
    }
    std::stable_sort(m.evidence.begin(), m.evidence.end(),
                     [](const EventRef& a, const EventRef& b) { return a.time_ns < b.time_ns; });
    if (spec_.after_match == AfterMatch::kGrow && s.unreported == 1) m.evidence = {fact.ref};
    out.push_back(std::move(m));
    s.unreported = 0;
    if (spec_.after_match == AfterMatch::kRestart)
      s = State();
    else if (spec_.after_match == AfterMatch::kSilent)
      s.silence.until_ns = fact.ref.time_ns + spec_.silent_for_ns;
  }

  Spec spec_;
  uint64_t all_;
  state::KeyedStore<State> store_;
};

}  // namespace

Made make_temporal(const Spec& spec) { return std::make_unique<Temporal>(spec); }

}  // namespace vong::operators
