// Inside of RuleSet: who owns what the rules point to. And CompileEnv, what exists only while a set is compiled.
#pragma once

#include <deque>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/string_map.h"
#include "base/strings.h"
#include "rules/network/address_set.h"
#include "rules/network/class_config.h"
#include "rules/network/variables.h"
#include "rules/vietnamese/phrase.h"
#include "sensor/detect/compiled_rule.h"
#include "sensor/detect/dataset.h"
#include "sensor/detect/keyword.h"
#include "sensor/detect/prefilter.h"
#include "sensor/detect/reputation.h"
#include "sensor/detect/threshold_config.h"

namespace vong::detect {

struct SetIdentity;

struct RuleSet::Impl {
  std::pmr::monotonic_buffer_resource arena{1 << 20};
  std::deque<std::string> texts;                       // rules' text and file names; views point here
  std::vector<CompiledRule> rules;                     // in order of evaluation
  std::deque<RuleBody> bodies;
  std::vector<Header> headers;
  std::vector<std::unique_ptr<BufferUse>> uses;
  std::vector<std::unique_ptr<Condition>> conditions;
  std::vector<std::unique_ptr<Effect>> effects;
  std::vector<std::unique_ptr<BufferCondition>> buffer_conditions;
  std::vector<std::unique_ptr<Transform>> transforms;
  std::vector<std::unique_ptr<Regex>> regexes;
  std::vector<std::unique_ptr<vietnamese::Phrase>> phrases;
  std::deque<NumberCheck> numbers;
  std::deque<MatcherCheck> matchers;
  Prefilter prefilter;
  ThresholdConfig thresholds;
  FileNeeds file_needs;
  std::shared_ptr<DatasetStore> datasets;
  std::string hash;
  rules::ReferenceConfig references;
  absl::flat_hash_map<uint64_t, uint32_t> by_sid;      // gid << 32 | sid -> index
  uint32_t generation = 0;                             // differs between all sets of the program
  Catalog const* catalog = nullptr;
  std::shared_ptr<const SetIdentity> identity;   // carry_over.h
  bool any_transaction_rule = false;                   // or rule on frames
  std::shared_ptr<const struct Tenants> tenants;       // null: none

  [[nodiscard]] std::string_view keep(std::string_view text);                     // a copy in the arena
  template <typename T>
  [[nodiscard]] std::span<const T> keep_array(std::span<const T> items) {
    if (items.empty()) return {};
    auto* at = static_cast<T*>(arena.allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), at);
    return {at, items.size()};
  }
};

// Shared by all rules of a set while it is compiled.
struct CompileEnv {
  CompileEnv(const Settings& s, const Catalog& c, rules::Variables v)
      : settings(s),
        catalog(c),
        variables(std::move(v)),
        lists(variables),
        strict_classtype(s.flag("rules.strict.classtype", false)),
        strict_reference(s.flag("rules.strict.reference", false)),
        strict_app_event(s.flag("rules.strict.app-layer-event", false)) {}

  const Settings& settings;
  const Catalog& catalog;
  rules::Variables variables;
  rules::ListCache lists;
  const bool strict_classtype, strict_reference, strict_app_event;   // --strict-rule-keywords
  RegexLimits regex_limits;
  std::shared_ptr<const DatasetStore> datasets_before;   // of the rule set that this one replaces
  rules::ClassificationConfig classifications;
  StringMap<std::pair<std::string_view, std::string_view>> class_text;   // name and description kept in the arena
  absl::flat_hash_map<std::string, uint32_t> header_by_key;
  absl::flat_hash_map<std::string, const Condition*> condition_by_option;   // "keyword\0value"
  absl::flat_hash_map<std::string, const Transform*> transform_by_option;
  absl::flat_hash_map<std::string, const Regex*> regex_by_text;
  absl::flat_hash_map<std::string, const BufferUse*> use_by_key;
  absl::flat_hash_map<std::string, const NumberCheck*> number_by_option;
  absl::flat_hash_map<std::string, const MatcherCheck*> matcher_by_option;
  absl::flat_hash_map<uint64_t, uint32_t> sids;          // duplicates: gid << 32 | sid -> rev
  StringMap<std::pair<std::string_view, uint32_t>> flowbit_uses;
  std::string data_dir, rule_dir;
  std::unique_ptr<Reputation> reputation;              // categories' names, when a rule asks for one
  std::vector<rules::Diagnostic>* diagnostics = nullptr;
  std::string file_name;

  // A rule that is left out without being wrong (requires).
  bool skip_rule = false;
  bool skip_warns = false;
  std::string_view skip_at;
  std::string skip_reason;
};

}  // namespace vong::detect
