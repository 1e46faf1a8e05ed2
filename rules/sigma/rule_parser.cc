#include "rules/sigma/rule_parser.h"

#include <charconv>

#include "base/strings.h"
#include "rules/network/nearest_name.h"
#include "rules/sigma/condition.h"
#include "rules/sigma/field_map.h"
#include "rules/sigma/limits.h"
#include "rules/sigma/rule_head.h"

namespace vong::sigma {
namespace {


bool parse_logsource(const YamlNode& document, Diagnostics& diagnostics, DetectionRule& rule) {
  const YamlNode* logsource = document.find("logsource");
  if (logsource == nullptr || !logsource->is_map()) {
    diagnostics.error(logsource == nullptr ? document.pos : logsource->pos, "a detection rule needs a logsource");
    return false;
  }
  for (const YamlEntry& e : logsource->entries) {
    if (e.key == "category" && !read_text(e.value, "category", diagnostics, rule.category)) return false;
    if (e.key == "product" && !read_text(e.value, "product", diagnostics, rule.product)) return false;
    if (e.key == "service" && !read_text(e.value, "service", diagnostics, rule.service)) return false;
  }
  return true;
}

// One search: a map is "and" over its lines, a list of maps "or" over them, a list of texts keywords of the whole record.
class SearchParser {
 public:
  SearchParser(const FieldContext& context, Expression& out) : context_(context), out_(out) {}

  std::optional<uint32_t> parse(const YamlNode& node) {
    if (node.is_map()) return map(node);
    if (node.is_scalar()) return add_field_tests("", node.pos, node, context_, out_);
    if (!node.is_list() || node.items.empty()) return error(node.pos, "a search must be a map or a list, and not empty");
    if (node.items.size() > kValuesMax) return error(node.pos, "too many values in one list (limit 20000)");
    std::vector<uint32_t> nodes;
    for (const YamlNode& item : node.items) {
      const auto n = item.is_map()      ? map(item)
                     : item.is_scalar() ? add_field_tests("", item.pos, item, context_, out_)
                                        : error(item.pos, "a search holds maps or texts");
      if (!n) return std::nullopt;
      nodes.push_back(*n);
    }
    return add_node(out_, Expression::Kind::kOr, std::move(nodes));
  }

 private:
  std::optional<uint32_t> error(SourcePos pos, std::string message) {
    context_.diagnostics->error(pos, std::move(message));
    return std::nullopt;
  }
  std::optional<uint32_t> map(const YamlNode& node) {
    if (node.entries.empty()) return error(node.pos, "an empty search matches nothing");
    std::vector<uint32_t> nodes;
    for (const YamlEntry& e : node.entries) {
      if (e.value.is_map()) return error(e.value.pos, "a map is not a value of a field");
      const auto n = add_field_tests(e.key, e.pos, e.value, context_, out_);
      if (!n) return std::nullopt;
      nodes.push_back(*n);
    }
    return add_node(out_, Expression::Kind::kAnd, std::move(nodes));
  }
  const FieldContext& context_;
  Expression& out_;
};

// The searches and the condition below "detection" or "filter"; gives the condition's root.
std::optional<uint32_t> parse_searches(const YamlNode& block, std::string_view what,
                                       const FieldContext& context, Expression& out) {
  Diagnostics& diagnostics = *context.diagnostics;
  std::vector<NamedNode> names;
  const YamlNode* condition = nullptr;
  bool ok = true;
  for (const YamlEntry& e : block.entries) {
    if (e.key == "condition") {
      condition = &e.value;
    } else if (e.key == "rules" && what == "filter") {
      continue;
    } else if (e.key == "timeframe") {
      diagnostics.error(e.pos, "timeframe is not part of Sigma any more, write a correlation rule");
      ok = false;
    } else if (const auto n = SearchParser(context, out).parse(e.value)) {
      names.push_back({e.key, *n});
    } else {
      ok = false;
    }
  }
  if (condition == nullptr || condition->is_map() || condition->is_null()) {
    diagnostics.error(block.pos, std::string(what) + " has no condition");
    return std::nullopt;
  }
  if (!ok) return std::nullopt;
  std::vector<uint32_t> roots;
  const auto add = [&](const YamlNode& n) {
    if (!n.is_scalar()) return diagnostics.error(n.pos, "a condition must be a text"), false;
    const auto root = parse_condition(n.text, n.pos, names, diagnostics, out);
    if (root) roots.push_back(*root);
    return root.has_value();
  };
  if (condition->is_list()) {
    for (const YamlNode& n : condition->items) ok &= add(n);
  } else {
    ok = add(*condition);
  }
  if (!ok || roots.empty()) return std::nullopt;
  return add_node(out, Expression::Kind::kOr, std::move(roots));
}

FieldContext context_of(const DetectionRule& rule, const Placeholders& placeholders,
                        Diagnostics& diagnostics) {
  FieldContext context;
  context.service = rule.service.empty() ? std::string_view(rule.category) : rule.service;
  context.placeholders = &placeholders;
  context.diagnostics = &diagnostics;
  return context;
}

// event_type of the logsource joins the condition by "and".
void add_logsource(std::string_view event_type, Expression& e) {
  if (event_type.empty()) return;
  std::vector<uint32_t> nodes;
  for (const std::string_view name : event_type_names(event_type)) {
    Test t;
    t.field = "event_type";
    t.cased = true;
    t.pattern = Pattern::literal(name);
    e.nodes.push_back({Expression::Kind::kTest, {}, static_cast<uint32_t>(e.tests.size())});
    e.tests.push_back(std::move(t));
    nodes.push_back(static_cast<uint32_t>(e.nodes.size() - 1));
  }
  const uint32_t any = add_node(e, Expression::Kind::kOr, std::move(nodes));
  e.root = add_node(e, Expression::Kind::kAnd, {any, e.root});
}

}  // namespace

bool is_correlation(const YamlNode& document) { return document.is_map() && document.find("correlation") != nullptr; }

std::optional<DetectionRule> parse_detection(const YamlNode& document, const Placeholders& placeholders, Diagnostics& diagnostics) {
  if (!document.is_map()) {
    diagnostics.error(document.pos, "a rule must be a map");
    return std::nullopt;
  }
  if (const YamlNode* action = document.find("action")) {
    diagnostics.error(action->pos, "rule collections with 'action' are not part of Sigma any more, write whole rules");
    return std::nullopt;
  }
  DetectionRule rule;
  bool ok = parse_head(document, diagnostics, rule.head);
  if (!parse_logsource(document, diagnostics, rule)) return std::nullopt;
  const FieldContext context = context_of(rule, placeholders, diagnostics);
  const YamlNode* detection = document.find("detection");
  if (detection == nullptr || !detection->is_map()) {
    diagnostics.error(detection == nullptr ? document.pos : detection->pos, "a detection rule needs a map 'detection'");
    return std::nullopt;
  }
  const auto root = parse_searches(*detection, "detection", context, rule.expression);
  if (!ok || !root) return std::nullopt;
  rule.expression.root = *root;
  for (std::string& field : rule.head.extension.group_by) field = map_field(field, context.service);
  const auto event_type = event_type_of(rule.category, rule.product, rule.service);
  if (!event_type) {
    diagnostics.warning(document.find("logsource")->pos,
                        "no event of a network sensor has this logsource: the rule is loaded, but it never matches");
    rule.expression.nodes.push_back({Expression::Kind::kFalse, {}, 0});
    rule.expression.root = static_cast<uint32_t>(rule.expression.nodes.size() - 1);
  } else {
    add_logsource(*event_type, rule.expression);
  }
  return rule;
}

bool is_filter(const YamlNode& document) { return document.is_map() && document.find("filter") != nullptr; }

std::optional<FilterRule> parse_filter(const YamlNode& document, const Placeholders& placeholders, Diagnostics& diagnostics) {
  FilterRule filter;
  DetectionRule alone;  // as if it were one: finds what is wrong even when it applies to no rule
  if (!parse_head(document, diagnostics, filter.head) || !parse_logsource(document, diagnostics, alone)) return std::nullopt;
  filter.category = alone.category;
  filter.product = alone.product;
  filter.service = alone.service;
  const YamlNode* block = document.find("filter");
  if (!block->is_map()) {
    diagnostics.error(block->pos, "filter must be a map");
    return std::nullopt;
  }
  const YamlNode* rules = block->find("rules");
  if (rules == nullptr || rules->is_map()) {
    diagnostics.error(block->pos, "a filter needs 'rules': names or ids, or any");
    return std::nullopt;
  }
  if (rules->is_list()) {
    for (const YamlNode& r : rules->items) filter.rules.emplace_back(r.text, r.pos);
  } else if (!rules->is_null() && !equals_ignore_case(rules->text, "any")) {
    filter.rules.emplace_back(rules->text, rules->pos);
  }
  filter.block = *block;
  if (!parse_searches(*block, "filter", context_of(alone, placeholders, diagnostics), alone.expression)) return std::nullopt;
  return filter;
}

bool covers(const FilterRule& filter, const DetectionRule& rule) {
  const auto fits = [](const std::string& wanted, const std::string& has) { return wanted.empty() || wanted == has; };
  return fits(filter.category, rule.category) && fits(filter.product, rule.product) && fits(filter.service, rule.service);
}

void apply_filter(const FilterRule& filter, const Placeholders& placeholders, DetectionRule& rule) {
  Diagnostics reported_before(filter.head.file);
  const auto root = parse_searches(filter.block, "filter", context_of(rule, placeholders, reported_before), rule.expression);
  if (root) rule.expression.root = add_node(rule.expression, Expression::Kind::kAnd, {rule.expression.root, *root});
}

std::optional<Duration> parse_timespan(std::string_view text) {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end + 1 != text.data() + text.size() || n <= 0) return std::nullopt;
  int64_t unit = 0;
  switch (*end) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86'400; break;
    case 'w': unit = 7 * 86'400; break;
    case 'M': unit = 30 * 86'400; break;
    case 'y': unit = 365 * 86'400; break;
    default: return std::nullopt;
  }
  if (n > kTimespanSecondsMax / unit) return std::nullopt;
  return std::chrono::seconds(n * unit);
}

}  // namespace vong::sigma
