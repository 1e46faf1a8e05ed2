#include "rules/tools/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json_writer.h"
#include "base/strings.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"
#include "rules/network/threshold.h"
#include "rules/network/value.h"
#include "rules/tools/vocabulary.h"

namespace vong::rules_tools {
namespace {

using rules::equal_nocase;
using rules::Option;
using rules::Rule;
using rules::shown;
using rules::suggestion;
using rules::ValueError;

// Where a rule stands, for sids that are used twice.
struct Place {
  const Rule* rule;
  std::string_view file;
};

class RuleLint {
 public:
  RuleLint(const Rule& rule, const LintContext& context, rules::ListCache& lists,
           rules::Diagnostics& out)
      : rule_(rule), context_(context), lists_(lists), out_(out) {}

  void run() {
    header();
    // The sensor skips a rule whose requirements it does not meet, whatever else the rule says.
    if (rule_.find("requires") != nullptr) return;
    for (const Option& option : rule_.options) check_option(option);
    if (rule_.find("msg") == nullptr) warning(rule_.text, "rule has no msg");
    if (context_.cost) cost();
  }

 private:
  void error(std::string_view at, std::string message) {
    out_.error(rule_.pos_of(at), std::move(message), rule_.sid);
  }
  void warning(std::string_view at, std::string message) {
    out_.warning(rule_.pos_of(at), std::move(message), rule_.sid);
  }
  template <typename T>
  void hold(const rules::Parsed<T>& parsed) {
    if (!parsed) error(parsed.error().at, parsed.error().message);
  }

  void header() {
    if (find_protocol(rule_.protocol) == nullptr && !known(rule_.protocol)) {
      error(rule_.protocol, fmt::format("unknown protocol {}{}", shown(rule_.protocol),
                                        suggestion(rule_.protocol, protocol_names())));
    }
    hold(lists_.addresses(rule_.src));
    hold(lists_.ports(rule_.src_port));
    hold(lists_.addresses(rule_.dst));
    hold(lists_.ports(rule_.dst_port));
  }

  [[nodiscard]] bool known(std::string_view name) const {
    return context_.known != nullptr && context_.known->contains(to_lower(name));
  }

  void check_option(const Option& option) {
    const Word* word = find_word(option.name);
    if (word == nullptr && known(option.name)) return;  // whoever compiles the rule judges its value
    if (word == nullptr) {
      error(option.name, fmt::format("unknown keyword {}{}", shown(option.name),
                                     suggestion(option.name, vocabulary_names())));
      return;
    }
    const auto is = [&](std::string_view name) { return equal_nocase(option.name, name); };
    if (is("content") || is("uricontent")) return content(option);
    if (is("msg")) hold(rules::unquote(option.value, rules::Quotes::kRequired, false));
    if (is("pcre")) hold(rules::unquote(option.value, rules::Quotes::kOptional, true));
    if (is("threshold")) hold(rules::parse_threshold(option.value));
    if (is("detection_filter")) hold(rules::parse_detection_filter(option.value));
    if (is("classtype")) classtype(option);
    if (is("reference")) reference(option);
    modifier(option, *word);
  }

  void content(const Option& option) {
    auto parsed = rules::parse_content(option.value);
    has_content_ = true;
    if (!parsed) {
      content_bytes_ = 0;
      return error(parsed.error().at, parsed.error().message);
    }
    content_bytes_ = parsed->bytes.size();
    if (!parsed->negated) longest_ = std::max(longest_, content_bytes_);
  }

  // What stands behind a content needs one to stand behind.
  void modifier(const Option& option, const Word& word) {
    const auto is = [&](std::string_view name) { return equal_nocase(option.name, name); };
    const bool about_content = word.role == Role::kLegacyBuffer || is("nocase") || is("depth") ||
                               is("offset") || is("distance") || is("within") || is("startswith") ||
                               is("endswith") || is("fast_pattern") || is("rawbytes");
    if (!about_content) return;
    if (!has_content_) {
      return error(option.name, fmt::format("'{}' has no content before it", option.name));
    }
    if (is("depth") || is("within")) {
      const auto bytes = rules::parse_unsigned(option.value);
      if (bytes && content_bytes_ > *bytes) {
        error(option.value, fmt::format("the content is {} bytes long and can never lie within {}",
                                        content_bytes_, *bytes));
      }
    }
    if (is("fast_pattern") && std::exchange(has_fast_pattern_, true)) {
      error(option.name, "only one content can be the fast_pattern");
    }
  }

  void classtype(const Option& option) {
    if (context_.classes == nullptr || context_.classes->find(option.value) != nullptr) return;
    const std::string_view near = context_.classes->nearest(option.value);
    warning(option.value,
            fmt::format("unknown classtype {}{}", shown(option.value),
                        near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
  }

  void reference(const Option& option) {
    const size_t comma = option.value.find(',');
    const std::string_view system = rules::trim(option.value.substr(0, comma));
    if (comma == std::string_view::npos) return error(option.value, "system,identifier expected");
    if (context_.references == nullptr || context_.references->find(system) != nullptr) return;
    const std::string_view near = context_.references->nearest(system);
    warning(system, fmt::format("unknown reference system {}{}", shown(system),
                                near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
  }

  // A rule is looked at only where its fast pattern occurs; without one, or with a short one, it is
  // looked at nearly always.
  void cost() {
    constexpr size_t kShortBytes = 4;
    if (!has_content_ && rule_.find("pcre") != nullptr) {
      warning(rule_.find("pcre")->name,
              "slow: a regular expression without a content is run on all data of the buffer");
    } else if (has_content_ && longest_ > 0 && longest_ < kShortBytes) {
      warning(
          rule_.find("content") != nullptr ? rule_.find("content")->name : rule_.text,
          fmt::format("slow: the longest content has {} bytes, {} or more make a good fast pattern",
                      longest_, kShortBytes));
    }
  }

  const Rule& rule_;
  const LintContext& context_;
  rules::ListCache& lists_;
  rules::Diagnostics& out_;
  bool has_content_ = false;
  bool has_fast_pattern_ = false;
  size_t content_bytes_ = 0;
  size_t longest_ = 0;
};

// The sensor keeps the higher revision, or the first of equal ones.
void check_duplicate(const Rule& rule, std::string_view file, rules::Diagnostics& out,
                     std::map<std::pair<uint32_t, uint32_t>, Place>& seen) {
  const auto [at, is_new] = seen.try_emplace({rule.gid, rule.sid}, Place{&rule, file});
  if (is_new) return;
  const Option* sid = rule.find("sid");
  const std::string_view where = sid != nullptr ? sid->value : rule.text;
  const Rule& first = *at->second.rule;
  const std::string place = fmt::format("{}:{}", at->second.file, first.pos.line);
  if (rule.rev > first.rev) {
    out.warning(rule.pos_of(where),
                fmt::format("sid {} replaces its revision {} at {}", rule.sid, first.rev, place),
                rule.sid);
    at->second = {&rule, file};
  } else {
    out.error(rule.pos_of(where), fmt::format("sid {} is taken already at {}", rule.sid, place),
              rule.sid);
  }
}

}  // namespace

LintReport lint(const std::vector<std::unique_ptr<rules::RuleFile>>& files,
                const LintContext& context) {
  LintReport report;
  rules::ListCache lists(context.variables);
  std::map<std::pair<uint32_t, uint32_t>, Place> seen;
  for (const auto& file : files) {
    rules::Diagnostics found = file->diagnostics();
    for (const Rule& rule : file->rules()) {
      ++report.rules;
      RuleLint(rule, context, lists, found).run();
      check_duplicate(rule, file->name(), found, seen);
    }
    std::vector<rules::Diagnostic> sorted = found.items();
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.pos < b.pos; });
    report.problems.insert(report.problems.end(), sorted.begin(), sorted.end());
    report.errors += found.errors();
    report.warnings += found.warnings();
    report.not_shown += found.suppressed();
  }
  return report;
}

std::string problems_as_text(const LintReport& report) {
  std::string out;
  for (const rules::Diagnostic& problem : report.problems) out += problem.format() + "\n";
  return out;
}

std::string problems_as_json(const LintReport& report) {
  std::string out;
  for (const rules::Diagnostic& problem : report.problems) {
    JsonWriter json(out);
    json.open_object();
    json.field("file", std::string_view(problem.file));
    json.field("line", problem.pos.line);
    json.field("column", problem.pos.column);
    json.field("severity", problem.severity == rules::Severity::kError ? "error" : "warning");
    if (problem.sid != 0) json.field("sid", problem.sid);
    json.field("message", std::string_view(problem.message));
    json.close_object();
    out += '\n';
  }
  return out;
}

}  // namespace vong::rules_tools
