// Correlation rules: Sigma specification 2.1, "Sigma Correlation Rules", with the type "absence" of
// our own, and "first_seen" and "rate".
#include <algorithm>
#include <charconv>

#include "rules/network/nearest_name.h"
#include "rules/sigma/condition.h"
#include "rules/sigma/field_map.h"
#include "rules/sigma/limits.h"
#include "rules/sigma/rule_head.h"
#include "rules/sigma/rule_parser.h"

namespace vong::sigma {
namespace {

constexpr std::string_view kTypes[] = {
    "event_count", "value_count",      "temporal",     "temporal_ordered", "value_sum",
    "value_avg",   "value_percentile", "value_median", "absence",          "first_seen",
    "rate"};
constexpr std::string_view kKeys[] = {"type",      "rules",   "group-by", "timespan",
                                      "condition", "aliases", "generate"};
constexpr std::string_view kConditionKeys[] = {"lt", "lte", "gt",    "gte",
                                               "eq", "neq", "field", "percentile"};
constexpr std::string_view kCompares[] = {"lt", "lte", "gt", "gte", "eq", "neq"};

class CorrelationParser {
 public:
  CorrelationParser(Diagnostics& diagnostics, CorrelationRule& out)
      : diagnostics_(diagnostics), out_(out) {}

  bool parse(const YamlNode& node, const YamlNode& document) {
    if (!node.is_map()) return error(node.pos, "correlation must be a map");
    bool ok = check_keys(node, kKeys, "correlation", diagnostics_);
    ok &= type(node);
    ok &= rules(node);
    ok &= aliases(node);
    ok &= group_by(node);
    ok &= timespan(node);
    if (!ok) return false;
    ok &= condition(node);
    for (const YamlNode* g : {node.find("generate"), document.find("generate")}) {
      if (g != nullptr) out_.generate = g->text == "true" || g->text == "yes";
    }
    return ok;
  }

 private:
  bool error(SourcePos pos, std::string text) {
    diagnostics_.error(pos, std::move(text));
    return false;
  }
  bool missing(const YamlNode& node, std::string_view key) {
    return error(node.pos, "correlation has no '" + std::string(key) + "'");
  }

  bool type(const YamlNode& node) {
    const YamlNode* t = node.find("type");
    if (t == nullptr) return missing(node, "type");
    std::string word;
    if (!read_text(*t, "type", diagnostics_, word)) return false;
    if (word == "temporal_extended") word = "temporal";  // both names are in use
    if (word == "extended_temporal") word = "temporal";
    if (word == "temporal_ordered_extended") word = "temporal_ordered";
    if (word == "extended_temporal_ordered") word = "temporal_ordered";
    const auto* it = std::find(std::begin(kTypes), std::end(kTypes), word);
    if (it == std::end(kTypes)) {
      return error(t->pos, "unknown correlation type " + rules::shown(word) +
                               rules::suggestion(word, kTypes));
    }
    out_.type = static_cast<CorrelationType>(it - std::begin(kTypes));
    return true;
  }

  bool rules(const YamlNode& node) {
    const YamlNode* list = node.find("rules");
    if (list == nullptr) return missing(node, "rules");
    if (list->is_scalar()) {
      out_.rules.emplace_back(list->text, list->pos);
    } else {
      for (const YamlNode& item : list->items) {
        if (!item.is_scalar()) return error(item.pos, "rules holds names or ids");
        out_.rules.emplace_back(item.text, item.pos);
      }
    }
    if (out_.rules.empty()) return error(list->pos, "rules is empty");
    if (out_.rules.size() > kReferencesMax)
      return error(list->pos, "too many rules in one correlation (limit 64)");
    return true;
  }

  bool aliases(const YamlNode& node) {
    const YamlNode* map = node.find("aliases");
    if (map == nullptr) return true;
    if (!map->is_map()) return error(map->pos, "aliases must be a map");
    for (const YamlEntry& a : map->entries) {
      if (!a.value.is_map()) return error(a.value.pos, "an alias is a map of rule: field");
      Alias alias{a.key, {}};
      for (const YamlEntry& e : a.value.entries) {
        const bool known = std::any_of(out_.rules.begin(), out_.rules.end(),
                                       [&](const auto& r) { return r.first == e.key; });
        if (!known)
          return error(e.pos, "alias for " + rules::shown(e.key) +
                                  ", which this correlation does not refer to");
        if (!e.value.is_scalar()) return error(e.value.pos, "an alias names one field");
        alias.fields.emplace_back(e.key, map_field(e.value.text, ""));
      }
      out_.aliases.push_back(std::move(alias));
    }
    return true;
  }

  std::string field_name(const std::string& name) const {
    const bool alias = std::any_of(out_.aliases.begin(), out_.aliases.end(),
                                   [&](const Alias& a) { return a.name == name; });
    return alias ? name : map_field(name, "");
  }

  bool group_by(const YamlNode& node) {
    const YamlNode* list = node.find("group-by");
    if (list == nullptr) return true;
    std::vector<std::string> names;
    if (!read_texts(*list, "group-by", diagnostics_, names)) return false;
    if (names.size() > kGroupFieldsMax)
      return error(list->pos, "too many group-by fields (limit 8)");
    for (size_t i = 0; i < names.size(); ++i) {
      out_.group_by.push_back(field_name(names[i]));
      if (const std::string hint = field_suggestion(out_.group_by.back()); !hint.empty()) {
        const SourcePos pos = list->is_list() ? list->items[i].pos : list->pos;
        diagnostics_.warning(pos, "unknown field " + rules::shown(names[i]) + hint);
      }
    }
    return true;
  }

  bool timespan(const YamlNode& node) {
    const YamlNode* t = node.find("timespan");
    if (t == nullptr) return missing(node, "timespan");
    const auto d = t->is_scalar() ? parse_timespan(t->text) : std::nullopt;
    if (!d)
      return error(t->pos, rules::shown(t->text) +
                               " is not a timespan such as 30s, 5m, 1h or 7d (at most one year)");
    out_.timespan = *d;
    return true;
  }

  bool is_temporal() const {
    return out_.type == CorrelationType::kTemporal ||
           out_.type == CorrelationType::kTemporalOrdered || out_.type == CorrelationType::kAbsence;
  }

  bool condition(const YamlNode& node) {
    const YamlNode* c = node.find("condition");
    if (c == nullptr) {
      if (out_.type == CorrelationType::kFirstSeen) return true;
      if (!is_temporal()) return missing(node, "condition");
      if (out_.rules.size() < 2) return error(node.pos, "this type needs two rules or more");
      return true;
    }
    if (c->is_scalar() && is_temporal()) return rule_condition(*c);
    if (!c->is_map()) return error(c->pos, "condition must be a map such as 'gte: 10'");
    if (!check_keys(*c, kConditionKeys, "condition", diagnostics_)) return false;
    for (const YamlEntry& e : c->entries) {
      if (e.key == "field") {
        std::vector<std::string> names;
        if (!read_texts(e.value, "field", diagnostics_, names)) return false;
        if (names.size() > 1 && out_.type != CorrelationType::kValueCount)
          return error(e.value.pos, "one field is expected here");
        if (names.size() > kGroupFieldsMax)
          return error(e.value.pos, "too many fields in a condition (limit 8)");
        for (const std::string& name : names) out_.condition_fields.push_back(field_name(name));
        continue;
      }
      double number = 0;
      const std::string& text = e.value.text;
      const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (fault != std::errc() || end != text.data() + text.size()) {
        return error(e.value.pos, "not a number: " + rules::shown(text));
      }
      if (e.key == "percentile")
        out_.percentile = number;
      else
        out_.conditions.emplace_back(
            static_cast<Compare>(std::find(std::begin(kCompares), std::end(kCompares), e.key) -
                                 kCompares),
            number);
    }
    return check_condition(*c);
  }

  bool check_condition(const YamlNode& c) {
    if (out_.type == CorrelationType::kValueMedian) out_.percentile = 50;
    if (out_.type == CorrelationType::kFirstSeen) {
      if (out_.conditions.empty()) return true;
      return error(c.pos, "first_seen compares with nothing, its condition only names a field");
    }
    if (out_.conditions.empty() && !is_temporal())
      return error(c.pos, "condition compares with nothing: expected gte, gt, lte, lt, eq or neq");
    const bool takes_field =
        out_.type >= CorrelationType::kValueSum && out_.type <= CorrelationType::kValueMedian;
    if ((takes_field || out_.type == CorrelationType::kValueCount) &&
        out_.condition_fields.empty()) {
      return error(c.pos, std::string(name_of(out_.type)) + " needs 'field' in its condition");
    }
    if (out_.percentile < 0 || out_.percentile > 100)
      return error(c.pos, "percentile must be between 0 and 100");
    return true;
  }

  // "rule_a and rule_b and not rule_c": tests carry the rule's index as their field.
  bool rule_condition(const YamlNode& c) {
    Expression e;
    std::vector<NamedNode> names;
    for (size_t i = 0; i < out_.rules.size(); ++i) {
      Test t;
      t.field = std::to_string(i);
      e.nodes.push_back({Expression::Kind::kTest, {}, static_cast<uint32_t>(i)});
      e.tests.push_back(std::move(t));
      names.push_back({out_.rules[i].first, static_cast<uint32_t>(i)});
    }
    const auto root = parse_condition(c.text, c.pos, names, diagnostics_, e);
    if (!root) return false;
    e.root = *root;
    out_.rule_condition = std::move(e);
    return true;
  }

  Diagnostics& diagnostics_;
  CorrelationRule& out_;
};

}  // namespace

std::optional<CorrelationRule> parse_correlation(const YamlNode& document,
                                                 Diagnostics& diagnostics) {
  CorrelationRule rule;
  bool ok = parse_head(document, diagnostics, rule.head);
  ok &= CorrelationParser(diagnostics, rule).parse(*document.find("correlation"), document);
  if (!ok) return std::nullopt;
  return rule;
}

}  // namespace vong::sigma
