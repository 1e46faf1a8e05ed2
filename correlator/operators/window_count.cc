// event_count and value_count whose condition can only be judged when the window is over (lt, lte,
// eq, neq): the first event of a key opens a window of one timespan, its end is decided when event
// time has passed it. Every window is judged, none overlaps, none is skipped.
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class WindowCount : public Operator {
 public:
  explicit WindowCount(const Spec& spec)
      : spec_(spec), distinct_(spec.type == "value_count"), store_(spec.keys_max, INT64_MAX) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    advance(now, out);
    State& s = store_.touch(print_of(fact), now);
    if (s.count == 0) {
      s.begin_ns = now;
      ends_.emplace_back(now + spec_.timespan_ns, std::string(fact.key));
    }
    ++s.count;
    s.last_ns = now;
    if (distinct_ && s.values.size() < state::kCountMax)
      s.values.insert(absl::Hash<std::string_view>()(fact.value));
    s.evidence.add(fact.ref);
  }
  [[nodiscard]] bool timed() const override { return true; }
  void advance(int64_t now_ns, Matches& out) override {
    while (!ends_.empty() && ends_.front().first <= now_ns) {
      close(ends_.front().second, out);
      ends_.pop_front();
    }
  }
  [[nodiscard]] int64_t next_deadline_ns() const override {
    return ends_.empty() ? kNoDeadline : ends_.front().first;
  }
  void finish(Matches& out) override { advance(INT64_MAX, out); }
  void warm(state::Fingerprint print, int stage) override { store_.warm(print, stage); }
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  struct State {
    int64_t begin_ns = 0, last_ns = 0;
    uint64_t count = 0;
    absl::flat_hash_set<uint64_t> values;
    EvidenceRing evidence;
  };

  void close(const std::string& key, Matches& out) {
    State* s = store_.find(key, 0);
    if (s == nullptr) return;  // evicted
    const auto value = static_cast<double>(distinct_ ? s->values.size() : s->count);
    if (all_hold(spec_, value))
      out.push_back(
          {key, s->begin_ns, s->last_ns, s->count, value, s->evidence.since(s->begin_ns)});
    store_.erase(key);
  }

  Spec spec_;
  bool distinct_;
  state::KeyedStore<State> store_;
  std::deque<std::pair<int64_t, std::string>>
      ends_;  // windows by their end: all have one length, so in order
};

}  // namespace

Made make_window_count(const Spec& spec) { return std::make_unique<WindowCount>(spec); }

}  // namespace vong::operators
