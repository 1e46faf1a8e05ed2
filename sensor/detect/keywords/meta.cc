// What describes a rule: msg, sid, classtype, priority, reference, metadata, requires.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

constexpr int kVersion[3] = {8, 0, 6};   // of the language that this engine speaks

Status setup_nothing(RuleBuilder&, const rules::Option&) { return {}; }   // sid, gid, rev: the rule parser has read them

Status setup_msg(RuleBuilder& b, const rules::Option& o) {
  const auto text = rules::unquote(o.value, rules::Quotes::kRequired, false);
  if (!text) return std::unexpected(text.error());
  b.rule.msg = b.set.keep(rules::unescape_text(text->text));
  return {};
}

Status setup_classtype(RuleBuilder& b, const rules::Option& o) {
  const std::string name = to_lower(without_quotes(o.value));
  const rules::Classification* c = b.env.classifications.find(name);
  if (c == nullptr && b.env.strict_classtype) return value_error(o.value, "unknown class");
  auto it = b.env.class_text.find(name);
  if (it == b.env.class_text.end()) {
    it = b.env.class_text.emplace(name, std::pair(b.set.keep(name), c == nullptr ? std::string_view() : b.set.keep(c->description))).first;
  }
  b.rule.classtype = it->second.first;
  b.rule.category = it->second.second;
  if (!b.saw_priority && c != nullptr) b.rule.priority = static_cast<uint8_t>(c->priority);
  return {};
}

Status setup_priority(RuleBuilder& b, const rules::Option& o) {
  const auto n = rules::parse_unsigned(without_quotes(o.value), 255);
  if (!n) return std::unexpected(n.error());
  if (*n == 0) return value_error(o.value, "the priority is 1 to 255");
  b.saw_priority = true;
  b.rule.priority = static_cast<uint8_t>(*n);
  return {};
}

Status setup_reference(RuleBuilder& b, const rules::Option& o) {
  const size_t comma = o.value.find(',');
  if (comma == std::string_view::npos || rules::trim(o.value.substr(comma + 1)).empty()) return value_error(o.value, "expected <system>,<id>");
  if (b.env.strict_reference && b.set.references.find(to_lower(rules::trim(o.value.substr(0, comma)))) == nullptr)
    return value_error(o.value.substr(0, comma), "unknown system of references");
  return {};
}

// Compares "8.0.3" with our version; missing parts are 0.
rules::Parsed<int> compare_version(std::string_view text) {
  int part = 0;
  std::string_view rest = text;
  const size_t dash = rest.find('-');
  rest = rest.substr(0, dash);
  while (part < 3) {
    const size_t dot = rest.find('.');
    const auto n = rules::parse_unsigned(rest.substr(0, dot), 9999);
    if (!n) return value_error(text, "not a version");
    const int ours = kVersion[part++];
    if (ours != static_cast<int>(*n)) return ours < static_cast<int>(*n) ? -1 : 1;
    if (dot == std::string_view::npos) break;
    rest = rest.substr(dot + 1);
  }
  return 0;
}

// ">= 7.0.4 < 8 | >= 8.0.3": alternatives of conditions.
rules::Parsed<bool> version_fits(std::string_view text) {
  for (const std::string_view alternative : split(text, '|')) {
    bool fits = true, any = false;
    for (std::string_view rest = rules::trim(alternative); !rest.empty();) {
      size_t n = 0;
      while (n < rest.size() && (rest[n] == '<' || rest[n] == '>' || rest[n] == '=')) ++n;
      const std::string_view op = rest.substr(0, n);
      if (n == 0) return value_error(rest, "expected < <= > >= before a version");
      rest = rules::trim(rest.substr(n));
      size_t end = 0;
      while (end < rest.size() && !rules::is_space(rest[end]) && rest[end] != '<' && rest[end] != '>') ++end;
      const auto c = compare_version(rest.substr(0, end));
      if (!c) return std::unexpected(c.error());
      rest = rules::trim(rest.substr(end));
      any = true;
      if (op == "<") fits = fits && *c < 0;
      else if (op == "<=") fits = fits && *c <= 0;
      else if (op == ">") fits = fits && *c > 0;
      else if (op == ">=") fits = fits && *c >= 0;
      else return value_error(op, "expected < <= > >= before a version");
    }
    if (!any) return value_error(text, "expected a version");
    if (fits) return true;
  }
  return false;
}

Status setup_requires(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  for (const std::string_view part : *parts) {
    const auto [key, value] = rules::split_key(part);
    bool met = true;
    if (key == "version") {
      const auto fits = version_fits(value);
      if (!fits) return std::unexpected(fits.error());
      met = *fits;
    } else if (key == "feature") {
      met = value == "output::file-store" || value == "true_sha256" || ((value == "ja3" || value == "ja4") && !fingerprints_off(b.env.settings, value));
    } else if (key == "keyword") {
      const std::string name = to_lower(value);
      const Keyword* k = keyword_by_name(name);
      met = (k != nullptr && (k->flags & Keyword::kUnsupported) == 0) || b.env.catalog.buffer(name) || b.env.catalog.modifier(name) ||
            b.env.catalog.number(name) || b.env.catalog.matcher(name) || transform_by_name(name);
    } else {
      met = false;   // something a later version of the language knows
    }
    if (!met) {
      b.env.skip_rule = true;
      b.env.skip_reason = std::string(part);
      return {};
    }
  }
  return {};
}

constexpr uint16_t kFlags = Keyword::kIpOnlyOk | Keyword::kEventsOnlyOk;
constexpr Keyword kKeywords[] = {
    {"msg", "", KeywordKind::kMeta, ValueUse::kRequired, setup_msg, nullptr, kFlags, "\"<text>\"", "What the alert says."},
    {"sid", "", KeywordKind::kMeta, ValueUse::kRequired, setup_nothing, nullptr, kFlags, "<number>", "Number of the rule."},
    {"gid", "", KeywordKind::kMeta, ValueUse::kRequired, setup_nothing, nullptr, kFlags, "<number>", "Group that the rule's number belongs to, 1 when not given."},
    {"rev", "", KeywordKind::kMeta, ValueUse::kRequired, setup_nothing, nullptr, kFlags, "<number>", "Revision of the rule."},
    {"classtype", "", KeywordKind::kMeta, ValueUse::kRequired, setup_classtype, nullptr, kFlags | Keyword::kOncePerRule, "<class>", "Class of classification.config: category and priority."},
    {"priority", "", KeywordKind::kMeta, ValueUse::kRequired, setup_priority, nullptr, kFlags, "<1-255>", "Priority instead of the class's."},
    {"reference", "", KeywordKind::kMeta, ValueUse::kRequired, setup_reference, nullptr, kFlags, "<system>,<id>", "Where to read about it."},
    {"metadata", "", KeywordKind::kMeta, ValueUse::kRequired, setup_nothing, nullptr, kFlags, "<key> <value>[, <key> <value>...]", "Facts for analysts, shown with the alert."},
    {"requires", "", KeywordKind::kMeta, ValueUse::kRequired, setup_requires, nullptr, kFlags, "version <tests>|feature <name>|keyword <name>[, ...]",
     "The rule is left out where this is not met."},
};

}  // namespace

std::span<const Keyword> meta_keywords() { return kKeywords; }

}  // namespace vong::detect
