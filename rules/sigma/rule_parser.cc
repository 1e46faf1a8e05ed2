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

bool parse_searches(const YamlNode& document, const FieldContext& context, DetectionRule& rule) {
  Diagnostics& diagnostics = *context.diagnostics;
  const YamlNode* detection = document.find("detection");
  if (detection == nullptr || !detection->is_map()) {
    diagnostics.error(detection == nullptr ? document.pos : detection->pos, "a detection rule needs a map 'detection'");
    return false;
  }
  std::vector<NamedNode> names;
  const YamlNode* condition = nullptr;
  bool ok = true;
  for (const YamlEntry& e : detection->entries) {
    if (e.key == "condition") {
      condition = &e.value;
    } else if (e.key == "timeframe") {
      diagnostics.error(e.pos, "timeframe is not part of Sigma any more, write a correlation rule");
      ok = false;
    } else if (const auto n = SearchParser(context, rule.expression).parse(e.value)) {
      names.push_back({e.key, *n});
    } else {
      ok = false;
    }
  }
  if (condition == nullptr || condition->is_map() || condition->is_null()) {
    diagnostics.error(detection->pos, "detection has no condition");
    return false;
  }
  if (!ok) return false;
  std::vector<uint32_t> roots;
  const auto add = [&](const YamlNode& n) {
    if (!n.is_scalar()) return diagnostics.error(n.pos, "a condition must be a text"), false;
    const auto root = parse_condition(n.text, n.pos, names, diagnostics, rule.expression);
    if (root) roots.push_back(*root);
    return root.has_value();
  };
  if (condition->is_list()) {
    for (const YamlNode& n : condition->items) ok &= add(n);
  } else {
    ok = add(*condition);
  }
  if (!ok || roots.empty()) return false;
  rule.expression.root = add_node(rule.expression, Expression::Kind::kOr, std::move(roots));
  return true;
}

// event_type of the logsource joins the condition by "and".
void add_logsource(std::string_view event_type, Expression& e) {
  if (event_type.empty()) return;
  Test t;
  t.field = "event_type";
  t.cased = true;
  t.pattern = Pattern::literal(event_type);
  e.nodes.push_back({Expression::Kind::kTest, {}, static_cast<uint32_t>(e.tests.size())});
  e.tests.push_back(std::move(t));
  e.root = add_node(e, Expression::Kind::kAnd, {static_cast<uint32_t>(e.nodes.size() - 1), e.root});
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
  FieldContext context;
  context.service = rule.service.empty() ? std::string_view(rule.category) : rule.service;
  context.placeholders = &placeholders;
  context.diagnostics = &diagnostics;
  ok &= parse_searches(document, context, rule);
  if (!ok) return std::nullopt;
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
