// rate (ours): how many times more events than usual a key has in the running timespan. Time is cut
// into timespans from the epoch on; usual is the key's own mean over the timespans that are over,
// one event at least, those without events included. The condition compares the ratio. Nothing is
// said of a key before `learn` (24 timespans unless the rule says otherwise) has passed since its
// first event.
#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

constexpr int64_t kTimespansLearned = 24;

class Rate : public Operator {
 public:
  explicit Rate(const Spec& spec)
      : spec_(spec),
        learn_(spec.learn_ns < 0 ? kTimespansLearned
                                 : std::max<int64_t>(1, spec.learn_ns / spec.timespan_ns)),
        store_(spec.keys_max, spec.timespan_ns * 2 * std::min<int64_t>(learn_, 1 << 20)) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    State& s = store_.touch(print_of(fact), now);
    const int64_t span = now / spec_.timespan_ns;
    if (s.span == kNone) s.first_span = s.span = span;
    if (span != s.span) next_span(s, span);
    ++s.count;
    s.evidence.add(fact.ref);
    ++s.unreported;
    if (span - s.first_span < learn_ || s.told) return;
    const double ratio = static_cast<double>(s.count) / std::max(1.0, s.mean);
    if (all_hold(spec_, ratio)) report(fact, s, ratio, out);
  }
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  static constexpr int64_t kNone = INT64_MIN;
  struct State {
    int64_t first_span = kNone, span = kNone;
    uint64_t count = 0, unreported = 0;  // of this timespan; since the last match
    double mean = 0, spans = 0;          // of the timespans that are over
    bool told = false;                   // after_match: restart says each timespan once
    Silence silence;
    EvidenceRing evidence;
  };

  // The mean of the last `learn_` timespans, roughly: each one weighs 1 / learn_ once there are so
  // many.
  void next_span(State& s, int64_t span) {
    add(s, static_cast<double>(s.count));
    const int64_t empty = span - s.span - 1;
    if (empty > 0) {
      const double n =
          std::min<double>(s.spans + static_cast<double>(empty), static_cast<double>(learn_));
      s.mean = s.spans + static_cast<double>(empty) <= static_cast<double>(learn_)
                   ? s.mean * s.spans / (s.spans + static_cast<double>(empty))
                   : s.mean * std::pow(1 - 1 / n, static_cast<double>(empty));
      s.spans = n;
    }
    s.span = span;
    s.count = s.unreported = 0;
    s.told = false;
    s.evidence.clear();
  }
  void add(State& s, double count) const {
    s.spans = std::min<double>(s.spans + 1, static_cast<double>(learn_));
    s.mean += (count - s.mean) / s.spans;
  }

  void report(const Fact& fact, State& s, double ratio, Matches& out) {
    if (s.silence.covers(fact.ref.time_ns)) return;
    const int64_t begin = s.span * spec_.timespan_ns;
    Match m{std::string(fact.key), begin, fact.ref.time_ns, s.unreported, ratio, {}};
    const bool growing = spec_.after_match == AfterMatch::kGrow && s.unreported == 1;
    m.evidence = growing ? std::vector<EventRef>{fact.ref} : s.evidence.since(begin);
    if (!growing && !m.evidence.empty()) m.first_ns = m.evidence.front().time_ns;
    if (growing) m.first_ns = fact.ref.time_ns;
    out.push_back(std::move(m));
    s.unreported = 0;
    s.told = spec_.after_match == AfterMatch::kRestart;
    if (spec_.after_match == AfterMatch::kSilent)
      s.silence.until_ns = fact.ref.time_ns + spec_.silent_for_ns;
  }

  Spec spec_;
  int64_t learn_;  // timespans
  state::KeyedStore<State> store_;
};

}  // namespace

Made make_rate(const Spec& spec) {
  if (spec.conditions.empty())
    return fail("rate needs a condition such as 'gte: 10' (times the mean)");
  return std::make_unique<Rate>(spec);
}

}  // namespace vong::operators
