// All detection rules at once. Compiling turns every rule's tests into shared atoms and its
// condition into a small expression over them, and picks for each rule the atoms without which it
// cannot hold (its triggers). An event then costs one question per field that it has, plus the
// rules of which a trigger holds: ten thousand rules cost about what ten do.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "correlator/indicators/source.h"
#include "correlator/match/field_index.h"
#include "events/eve_decoder.h"
#include "events/field_plan.h"
#include "rules/sigma/rule.h"

namespace vong::match {

// Immutable after compile; shared by any number of Sessions.
class RuleMatcher {
 public:
  // Adds the rules' fields to `plan`. A rule with a test that cannot be compiled is reported and
  // never matches. `indicators`: where the lists of indicators stand that rules ask, in the order
  // in which the rules' loader was given their names; null: there are none.
  [[nodiscard]] static std::shared_ptr<const RuleMatcher> compile(
      std::span<const sigma::DetectionRule> rules, events::FieldPlan& plan,
      std::vector<rules::Diagnostic>& diagnostics,
      std::shared_ptr<const indicators::Source> indicators = nullptr);

  [[nodiscard]] size_t rule_count() const { return rules_.size(); }
  [[nodiscard]] size_t atom_count() const { return triggers_.size(); }
  // Rules that have no trigger and are evaluated for every event (a bare "not ...").
  [[nodiscard]] size_t always_count() const { return always_.size(); }

 private:
  friend class Session;
  friend class RuleCompiler;
  struct Node {
    sigma::Expression::Kind kind = sigma::Expression::Kind::kFalse;
    bool direct = false;  // kTest: look at the event, value is an index into direct_tests_
    uint32_t value = 0;   // kTest: the atom
    uint32_t children = 0, count = 0;  // range of children_
  };
  struct DirectTest {  // what no index answers
    events::FieldId field, other;
    sigma::RefCompare ref;
    bool cased;
    bool time_part = false;  // low <= part of the field's time <= high; else field against other
    sigma::TimePart part{};
    double low = 0, high = 0;
  };
  RuleMatcher() = default;

  std::vector<Node> nodes_;
  std::vector<uint32_t> children_;
  std::vector<uint32_t> rules_;                  // root node of each rule
  std::vector<std::vector<uint32_t>> triggers_;  // atom -> rules
  std::vector<uint32_t> always_;
  std::vector<DirectTest> direct_tests_;
  std::vector<std::unique_ptr<FieldIndex>> fields_;       // by field id; null: nobody asks
  std::unique_ptr<FieldIndex> record_;                    // the record's whole text
  std::shared_ptr<const indicators::Source> indicators_;  // null: no rule asks for lists
  events::FieldId host_ = events::kNoField;               // http.hostname, for lists
};

// One thread's view of a RuleMatcher.
class Session {
 public:
  // `rules` must have been compiled with the plan that the decoders use.
  explicit Session(std::shared_ptr<const RuleMatcher> rules);

  // The rules that hold for the event, ascending. Valid until the next call.
  [[nodiscard]] std::span<const uint32_t> match(const events::EveDecoder& event);

 private:
  void hold(Atom atom);
  void take_lists();
  [[nodiscard]] bool evaluate(uint32_t node, const events::EveDecoder& event) const;
  [[nodiscard]] bool evaluate_direct(const RuleMatcher::DirectTest& test,
                                     const events::EveDecoder& event) const;
  [[nodiscard]] static bool time_part_holds(const RuleMatcher::DirectTest& test,
                                            const events::EveDecoder& event);

  std::shared_ptr<const RuleMatcher> rules_;
  Scratch scratch_;
  std::shared_ptr<const indicators::Lists> lists_;
  uint64_t lists_generation_ = 0;
  uint32_t epoch_ = 0;
  std::vector<uint32_t> atom_epoch_, rule_epoch_;
  std::vector<uint32_t> candidates_, matched_;
};

}  // namespace vong::match
