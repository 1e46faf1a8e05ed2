// absence (ours): the first referred rule matched for a key, and none of the others did within the
// timespan behind it. Raised only when event time has passed the end of the timespan, never by the
// wall clock.
#include <deque>

#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class Absence : public Operator {
 public:
  explicit Absence(const Spec& spec) : spec_(spec), store_(spec.keys_max, INT64_MAX) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    advance(now, out);
    if (fact.steps & ~uint64_t{1}) {  // what was waited for
      store_.erase(print_of(fact));
      return;
    }
    State& s = store_.touch(print_of(fact), now);
    if (s.count == 0) {
      s.first = fact.ref;
      s.serial = ++serial_;
      deadlines_.push_back({now + spec_.timespan_ns, s.serial, std::string(fact.key)});
    }
    ++s.count;
  }
  [[nodiscard]] bool timed() const override { return true; }
  void advance(int64_t now_ns, Matches& out) override {
    while (!deadlines_.empty() && deadlines_.front().at_ns <= now_ns) {
      const Deadline d = std::move(deadlines_.front());
      deadlines_.pop_front();
      const State* s = store_.find(d.key, 0);
      if (s == nullptr || s->serial != d.serial) continue;  // it came, or the key was evicted
      out.push_back(
          {d.key, s->first.time_ns, d.at_ns, s->count, static_cast<double>(s->count), {s->first}});
      store_.erase(d.key);
    }
  }
  [[nodiscard]] int64_t next_deadline_ns() const override {
    return deadlines_.empty() ? kNoDeadline : deadlines_.front().at_ns;
  }
  // The end of the input is not the end of the timespan: what still waits has not been absent long
  // enough.
  void finish(Matches&) override {}
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  struct State {
    EventRef first;
    uint64_t serial = 0, count = 0;
  };
  struct Deadline {
    int64_t at_ns;
    uint64_t serial;
    std::string key;
  };

  Spec spec_;
  state::KeyedStore<State> store_;
  std::deque<Deadline> deadlines_;  // in order: one length for all
  uint64_t serial_ = 0;
};

}  // namespace

Made make_absence(const Spec& spec) {
  if (spec.steps < 2)
    return fail("absence needs two rules: what happened, and what should have followed");
  return std::make_unique<Absence>(spec);
}

}  // namespace vong::operators
