// Rooms: rules_network. A rule file, and everything that reads the values of its options; then the
// same text as each of the three configuration files. What must hold besides not crashing: places
// lie in the file, and what encode_content writes reads back.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "rules/network/address_set.h"
#include "rules/network/class_config.h"
#include "rules/network/nearest_name.h"
#include "rules/network/rule_file.h"
#include "rules/network/threshold.h"
#include "rules/network/value.h"

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
  }
  for (const Diagnostic& diagnostic : file->diagnostics().items()) {
    require(diagnostic.pos.line >= 1 && diagnostic.pos.line <= lines);
    require(!diagnostic.format().empty());
  }
  (void)parse_threshold_file("fuzz", text, lists);
  (void)ClassificationConfig::parse("fuzz", text);
  (void)ReferenceConfig::parse("fuzz", text);
  return 0;
}
