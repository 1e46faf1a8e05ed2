// flowint: numbers of a flow that rules count with.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

// A number, or another variable of the flow.
struct Value {
  uint32_t number = 0;
  NameId variable = kNoName;
  [[nodiscard]] std::optional<uint32_t> get(const FlowDetect& f) const {
    if (variable == kNoName) return number;
    const uint32_t* x = f.find_int(variable);
    return x == nullptr ? std::nullopt : std::optional(*x);
  }
};

rules::Parsed<Value> value_of(std::string_view text) {
  Value v;
  if (!text.empty() && rules::is_digit(text[0])) {
    const auto n = rules::parse_unsigned(text, 0xffffffffu);
    if (!n) return std::unexpected(n.error());
    v.number = static_cast<uint32_t>(*n);
  } else {
    v.variable = intern_name(text);
    if (text.empty() || v.variable == kNoName) return value_error(text, "expected a number or a variable");
  }
  return v;
}

Status compare(RuleBuilder& b, NameId id, const Value& v, std::string_view op) {
  const auto add = [&](auto cmp) {
    add_condition(b, [id, v, cmp](Runtime& rt) {
      if (rt.flow_state == nullptr) return false;
      const uint32_t* x = rt.flow_state->find_int(id);
      const auto y = v.get(*rt.flow_state);
      return x != nullptr && y && cmp(*x, *y);
    });
  };
  if (op == "<") add([](uint32_t x, uint32_t y) { return x < y; });
  else if (op == "<=") add([](uint32_t x, uint32_t y) { return x <= y; });
  else if (op == ">") add([](uint32_t x, uint32_t y) { return x > y; });
  else if (op == ">=") add([](uint32_t x, uint32_t y) { return x >= y; });
  else if (op == "==") add([](uint32_t x, uint32_t y) { return x == y; });
  else if (op == "!=") add([](uint32_t x, uint32_t y) { return x != y; });
  else return value_error(op, "expected one of + - = < <= > >= == != isset isnotset notset");
  if (b.body.bits_use[1] != 3) b.body.bits_use[1] = b.body.bits_use[1] == 0 ? 1 : b.body.bits_use[1];
  return {};
}

Status change(RuleBuilder& b, NameId id, const Value& v, char op) {
  b.body.bits_use[1] = b.body.bits_use[1] == 1 ? 2 : 3;
  add_effect(b, [id, v, op](Runtime& rt) {
    if (rt.flow_state == nullptr) return;
    const auto y = v.get(*rt.flow_state);
    if (!y) return;
    const uint32_t* old = rt.flow_state->find_int(id);
    const uint32_t x = old == nullptr ? 0 : *old;
    const uint32_t next = op == '+' ? x + *y : op == '-' ? x - *y : *y;
    if (!rt.flow_state->set_int(id, next)) ++rt.counters->flow_state_full;
  });
  return {};
}

Status setup_flowint(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(without_quotes(o.value));
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() < 2 || parts->size() > 3) return value_error(o.value, "expected <name>, <operator>[, <value>]");
  const NameId id = intern_name((*parts)[0]);
  if ((*parts)[0].empty() || id == kNoName) return value_error((*parts)[0], "a variable needs a name");
  const std::string_view op = (*parts)[1];
  if (op == "isset" || op == "isnotset" || op == "notset") {
    const bool wanted = op == "isset";
    b.body.bits_use[1] = b.body.bits_use[1] == 3 ? 2 : 1;
    add_condition(b, [id, wanted](Runtime& rt) { return rt.flow_state != nullptr && (rt.flow_state->find_int(id) != nullptr) == wanted; });
    return {};
  }
  if (parts->size() != 3) return value_error(op, "this operator needs a value");
  const auto v = value_of((*parts)[2]);
  if (!v) return std::unexpected(v.error());
  if (op == "+" || op == "-" || op == "=") return change(b, id, *v, op[0]);
  return compare(b, id, *v, op);
}

constexpr Keyword kKeywords[] = {
    {"flowint", "", KeywordKind::kFlow, ValueUse::kRequired, setup_flowint, nullptr, 0,
     "<name>, <+|-|=|<|<=|>|>=|==|!=>, <number|name> or <name>, isset|isnotset", "Counters of the flow."},
};

}  // namespace

std::span<const Keyword> flowint_keywords() { return kKeywords; }

}  // namespace vong::detect
