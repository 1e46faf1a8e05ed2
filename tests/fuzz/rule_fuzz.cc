// Rooms: rules_tools. A rule file, and everything that reads the values of its options; then the
// same text as each of the three configuration files. What must hold besides not crashing: places
// lie in the file, and what encode_content writes reads back, and what format_rule writes
// is the same rule.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "rules/network/address_set.h"
#include "rules/network/class_config.h"
#include "rules/network/nearest_name.h"
#include "rules/network/rule_file.h"
#include "rules/network/threshold.h"
#include "rules/network/value.h"
#include "rules/tools/explain.h"
#include "rules/tools/format.h"
#include "rules/tools/lint.h"

namespace {

using namespace vong::rules;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_place(const Rule& rule, std::string_view part, size_t lines) {
  const SourcePos pos = rule.pos_of(part);
  require(pos.line >= rule.pos.line && pos.line <= lines && pos.column >= 1);
}

void read_values(const Rule& rule, size_t lines) {
  constexpr std::string_view kNames[] = {"content", "flow", "http.uri", "byte_test"};
  for (const Option& option : rule.options) {
    check_place(rule, option.name, lines);
    (void)nearest_name(option.name, kNames);
    const std::string_view value = option.value;
    const auto content = parse_content(value);
    if (content) {
      require(decode_content(encode_content(content->bytes)) == content->bytes);
    } else {
      check_place(rule, content.error().at, lines);
    }
    (void)unquote(value, Quotes::kOptional, true);
    (void)unescape_text(value);
    (void)parse_number_test(value);
    (void)parse_signed(value);
    (void)parse_duration_s(value);
    (void)parse_threshold(value);
    (void)parse_detection_filter(value);
    (void)split_words(value);
    if (const auto parts = split_parts(value)) {
      for (const std::string_view part : *parts) (void)split_key(part, "=:");
    }
  }
}

// A formatted rule parses to the same options and formats to itself.
void check_format(const Rule& rule) {
  const std::string text = vong::rules_tools::format_rule(rule);
  const auto again = RuleFile::parse("again", text);
  require(again->rules().size() == 1);
  const Rule& other = again->rules()[0];
  require(other.sid == rule.sid && other.options.size() == rule.options.size());
  for (size_t i = 0; i < rule.options.size(); ++i) {
    require(other.options[i].name == rule.options[i].name &&
            other.options[i].value == rule.options[i].value);
  }
  require(vong::rules_tools::format_rule(other) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Variables variables = Variables::defaults();
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  ListCache lists(variables);
  const auto file = RuleFile::parse("fuzz", text, {.keep_disabled = true});
  for (const Rule& rule : file->rules()) {
    require(rule.sid != 0);
    for (const std::string_view field : {rule.src, rule.dst}) {
      if (const auto set = lists.addresses(field); !set) check_place(rule, set.error().at, lines);
    }
    for (const std::string_view field : {rule.src_port, rule.dst_port}) {
      if (const auto set = lists.ports(field); !set) check_place(rule, set.error().at, lines);
    }
    read_values(rule, lines);
    check_format(rule);
    (void)vong::rules_tools::explain(rule, {.language = vong::rules_tools::Language::kVietnamese});
  }
  for (const Diagnostic& diagnostic : file->diagnostics().items()) {
    require(diagnostic.pos.line >= 1 && diagnostic.pos.line <= lines);
    require(!diagnostic.format().empty());
  }
  std::vector<std::unique_ptr<RuleFile>> files;
  files.push_back(RuleFile::parse("fuzz", text));
  (void)vong::rules_tools::problems_as_json(vong::rules_tools::lint(files, {.cost = true}));
  (void)parse_threshold_file("fuzz", text, lists);
  (void)ClassificationConfig::parse("fuzz", text);
  (void)ReferenceConfig::parse("fuzz", text);
  return 0;
}
