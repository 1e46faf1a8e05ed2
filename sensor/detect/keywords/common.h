// Scaffolding shared by the keyword files.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "fmt/format.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"
#include "rules/network/value.h"
#include "sensor/detect/keyword.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/rule_builder.h"
#include "sensor/detect/runtime.h"
#include "sensor/detect/shared_state.h"

namespace vong::detect {

using rules::value_error;
using MadeCondition = rules::Parsed<std::unique_ptr<Condition>>;

// A condition out of a function object.
template <typename F>
class ConditionOf final : public Condition {
 public:
  explicit ConditionOf(F f) : f_(std::move(f)) {}
  bool match(Runtime& rt) const override { return f_(rt); }

 private:
  F f_;
};
template <typename F>
std::unique_ptr<Condition> condition(F f) {
  return std::make_unique<ConditionOf<F>>(std::move(f));
}
// One that may be asked before the rule's pattern is searched for: Condition::selects.
template <int rank, typename F>
class SelectingConditionOf final : public Condition {
 public:
  explicit SelectingConditionOf(F f) : f_(std::move(f)) {}
  [[nodiscard]] bool match(Runtime& rt) const override { return f_(rt); }
  [[nodiscard]] int selects() const override { return rank; }

 private:
  F f_;
};
template <int rank, typename F>
std::unique_ptr<Condition> selecting_condition(F f) {
  return std::make_unique<SelectingConditionOf<rank, F>>(std::move(f));
}
template <typename F>
class EffectOf final : public Effect {
 public:
  explicit EffectOf(F f) : f_(std::move(f)) {}
  void apply(Runtime& rt) const override { f_(rt); }

 private:
  F f_;
};

template <typename F>
void add_condition(RuleBuilder& b, F f) {
  b.set.conditions.push_back(condition(std::move(f)));
  b.add_condition(b.set.conditions.back().get());
}
template <typename F>
void add_effect(RuleBuilder& b, F f) {
  b.set.effects.push_back(std::make_unique<EffectOf<F>>(std::move(f)));
  b.add_effect(b.set.effects.back().get());
}

// A keyword that is one number of the packet: Get returns an optional<uint64_t>.
template <auto Get, uint64_t Max>
MadeCondition number_condition(std::string_view value) {
  const auto test = rules::parse_number_test(value, Max);
  if (!test) return std::unexpected(test.error());
  return condition([t = *test](Runtime& rt) {
    const auto x = Get(*rt.packet);
    return x && t.matches(*x);
  });
}

// The text between quotes, or the value itself.
inline std::string_view without_quotes(std::string_view value) {
  return value.size() >= 2 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2) : value;
}

}  // namespace vong::detect
