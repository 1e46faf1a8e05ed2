// first_seen (ours): a key, or a value of a key, that was not there within the timespan before.
// While the operator learns (the timespan itself unless the rule says otherwise) nothing is said:
// at the beginning everything is new.
#include "correlator/operators/factories.h"
#include "correlator/state/keyed_store.h"

namespace vong::operators {
namespace {

class FirstSeen : public Operator {
 public:
  explicit FirstSeen(const Spec& spec)
      : spec_(spec),
        learn_ns_(spec.learn_ns < 0 ? spec.timespan_ns : spec.learn_ns),
        store_(spec.keys_max, spec.timespan_ns) {}

  void on_fact(const Fact& fact, Matches& out) override {
    const int64_t now = fact.ref.time_ns;
    if (begin_ns_ == kNotYet) begin_ns_ = now;
    State& s = store_.touch(print(fact), now);
    const bool known = s.seen;
    s.seen = true;
    if (known || now - begin_ns_ < learn_ns_) return;
    out.push_back({std::string(fact.key), now, now, 1, 1, {fact.ref}});
  }
  void warm(state::Fingerprint, int) override {}  // its keys hold the value too
  size_t keys() const override { return store_.size(); }
  uint64_t evictions() const override { return store_.evictions(); }

 private:
  static constexpr int64_t kNotYet = INT64_MIN;
  struct State {
    bool seen = false;
  };

  state::Fingerprint print(const Fact& fact) {
    if (fact.value.empty()) return print_of(fact);
    const auto size = static_cast<uint32_t>(fact.key.size());
    scratch_.assign(reinterpret_cast<const char*>(&size), sizeof size);
    scratch_.append(fact.key);
    scratch_.append(fact.value);
    return state::fingerprint_of(scratch_);
  }

  Spec spec_;
  int64_t learn_ns_;
  int64_t begin_ns_ = kNotYet;  // of all facts
  state::KeyedStore<State> store_;
  std::string scratch_;
};

}  // namespace

Made make_first_seen(const Spec& spec) { return std::make_unique<FirstSeen>(spec); }

}  // namespace vong::operators
