// flowbits: bits of a flow that rules set for other rules.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

rules::Parsed<std::vector<NameId>> names_of(std::string_view text, bool alternatives) {
  std::vector<NameId> ids;
  for (const std::string_view raw : split(text, '|')) {
    const std::string_view name = rules::trim(raw);
    if (name.empty()) return value_error(text, "a bit needs a name");
    const NameId id = intern_name(name);
    if (id == kNoName) return value_error(name, "too many different names of bits and variables");
    ids.push_back(id);
  }
  if (ids.size() > 1 && !alternatives) return value_error(text, "several names only with isset and isnotset");
  return ids;
}

// What sets comes before what sets and tests, then what only tests.
void use(RuleBuilder& b, bool sets) {
  uint8_t& u = b.body.bits_use[0];
  const uint8_t one = sets ? 3 : 1;
  u = u == 0 || u == one ? one : 2;
}

Status setup_flowbits(RuleBuilder& b, const rules::Option& o) {
  const std::string_view value = without_quotes(o.value);
  const size_t comma = value.find(',');
  const std::string_view command = rules::trim(value.substr(0, comma));
  if (command == "noalert") {
    if (comma != std::string_view::npos) return value_error(o.value, "noalert takes no name");
    b.rule.noalert = true;
    return {};
  }
  if (comma == std::string_view::npos) return value_error(o.value, "expected set|unset|toggle|isset|isnotset, <name>");
  const bool tests = command == "isset" || command == "isnotset";
  const auto ids = names_of(rules::trim(value.substr(comma + 1)), tests);
  if (!ids) return std::unexpected(ids.error());
  if (tests) {
    use(b, false);
    const bool wanted = command == "isset";
    add_condition(b, [list = *ids, wanted](Runtime& rt) {
      if (rt.flow_state == nullptr) return false;
      for (const NameId id : list) {
        if (rt.flow_state->has_bit(id) == wanted) return true;
      }
      return false;
    });
    return {};
  }
  use(b, true);
  const NameId id = ids->front();
  if (command == "set") {
    add_effect(b, [id](Runtime& rt) {
      if (rt.flow_state != nullptr && !rt.flow_state->set_bit(id)) ++rt.counters->flow_state_full;
    });
  } else if (command == "unset") {
    add_effect(b, [id](Runtime& rt) {
      if (rt.flow_state != nullptr) rt.flow_state->clear_bit(id);
    });
  } else if (command == "toggle") {
    add_effect(b, [id](Runtime& rt) {
      if (rt.flow_state == nullptr) return;
      if (rt.flow_state->has_bit(id)) rt.flow_state->clear_bit(id);
      else if (!rt.flow_state->set_bit(id)) ++rt.counters->flow_state_full;
    });
  } else {
    return value_error(command, "expected set, unset, toggle, isset, isnotset or noalert");
  }
  return {};
}

constexpr Keyword kKeywords[] = {
    {"flowbits", "", KeywordKind::kFlow, ValueUse::kRequired, setup_flowbits, nullptr, Keyword::kIpOnlyOk,
     "set|unset|toggle|isset|isnotset, <name>[|<name>...] or noalert", "Bits of the flow: one rule sets them, another asks for them."},
};

}  // namespace

std::span<const Keyword> flowbits_keywords() { return kKeywords; }

}  // namespace vong::detect
