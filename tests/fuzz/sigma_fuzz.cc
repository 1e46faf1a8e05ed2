// Rooms: rules_sigma, correlator_match. A file of Sigma rules: parsed, resolved, compiled into a
// matcher. What must hold besides not crashing: places lie in the file, and targets of correlations
// exist and stand before them.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "correlator/match/rule_matcher.h"
#include "rules/sigma/loader.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vong;
  if (size > 16'384) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 2;
  sigma::Loader loader({.values = {{"users", {"root", "admin"}}}, .lists = {"hosts"}});
  loader.add_text("fuzz", text);
  const sigma::RuleSet rules = loader.finish();
  for (const auto& d : loader.diagnostics()) require(d.pos.line <= lines && !d.format().empty());
  for (size_t i = 0; i < rules.correlations.size(); ++i) {
    for (const uint32_t target : rules.correlations[i].targets)
      require(target < rules.detections.size() + i);
  }
  for (const sigma::DetectionRule& rule : rules.detections) {
    require(rule.expression.root < rule.expression.nodes.size());
    if (rule.expression.tests.size() > 64) return 0;  // compiling is Hyperscan's time, not ours
    for (const sigma::Test& t : rule.expression.tests) {
      if (t.op == sigma::TestOp::kRegex) return 0;
    }
  }
  if (rules.detections.size() > 8) return 0;
  events::FieldPlan plan;
  std::vector<rules::Diagnostic> diagnostics;
  const auto matcher = match::RuleMatcher::compile(rules.detections, plan, diagnostics);
  require(matcher->rule_count() == rules.detections.size());
  return 0;
}
