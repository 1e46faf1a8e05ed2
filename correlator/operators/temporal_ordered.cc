// temporal_ordered: the referred rules matched for one key one after the other, last - first <
// timespan. For every prefix of the sequence the chain that began latest is remembered: if any
// chain can be completed in time, that one can.
#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class TemporalOrdered : public Operator {
 public:
  explicit TemporalOrdered(const Spec& spec) : spec_(spec), store_(spec.keys_max, ttl_ns(spec)) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    State& s = store_.touch(print_of(fact), now);
    if (s.chains.empty()) s.chains.resize(spec_.steps);
    // From the last step to the first, so that one event never stands for two steps of one chain.
    for (size_t i = spec_.steps; i-- > 0;) {
      if ((fact.steps >> i & 1) == 0 || !extend(s, i, fact.ref)) continue;
      if (i + 1 == spec_.steps) {
        report(fact, s, out);
        return;
      }
    }
  }
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  struct State {
    std::vector<std::vector<EventRef>>
        chains;  // chains[i]: steps 0..i, one event each; empty when there is none
    Silence silence;
  };

  bool extend(State& s, size_t i, const EventRef& ref) {
    if (i == 0) {
      s.chains[0] = {ref};
      return true;
    }
    const std::vector<EventRef>& before = s.chains[i - 1];
    if (before.empty() || ref.time_ns - before.front().time_ns >= spec_.timespan_ns) return false;
    if (!s.chains[i].empty() && s.chains[i].front().time_ns > before.front().time_ns) return false;
    std::vector<EventRef> chain = before;
    chain.push_back(ref);
    s.chains[i] = std::move(chain);
    return true;
  }

  void report(const Fact& fact, State& s, Matches& out) {
    std::vector<EventRef>& chain = s.chains.back();
    if (s.silence.covers(fact.ref.time_ns)) return chain.clear();
    Match m{std::string(fact.key),
            chain.front().time_ns,
            fact.ref.time_ns,
            chain.size(),
            static_cast<double>(chain.size()),
            {}};
    m.evidence = std::move(chain);
    out.push_back(std::move(m));
    chain.clear();
    if (spec_.after_match == AfterMatch::kRestart)
      s = State();
    else if (spec_.after_match == AfterMatch::kSilent)
      s.silence.until_ns = fact.ref.time_ns + spec_.silent_for_ns;
  }

  Spec spec_;
  state::KeyedStore<State> store_;
};

}  // namespace

Made make_temporal_ordered(const Spec& spec) {
  if (spec.steps > state::kOrderedStepsMax)
    return fail("temporal_ordered refers to 16 rules at most");
  return std::make_unique<TemporalOrdered>(spec);
}

}  // namespace vong::operators
