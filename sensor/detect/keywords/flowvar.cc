// flowvar and pktvar: what regular expressions captured earlier, in the flow or from this packet.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

using Captures = std::vector<std::pair<std::string, std::string>>;

struct Wanted {
  std::string name, bytes;
  bool negated = false;
  // The newest capture of this name holds the bytes; without one there is nothing to say.
  [[nodiscard]] bool in(const Captures& all) const {
    const auto it = std::find_if(all.rbegin(), all.rend(), [&](const auto& each) { return each.first == name; });
    return it != all.rend() && (it->second.find(bytes) != std::string::npos) != negated;
  }
};

rules::Parsed<Wanted> wanted_of(const rules::Option& o) {
  const size_t comma = o.value.find(',');
  if (comma == std::string_view::npos) return value_error(o.value, "expected <name>, <content>");
  Wanted w;
  w.name = rules::trim(o.value.substr(0, comma));
  if (w.name.empty()) return value_error(o.value, "a variable needs a name");
  const auto content = rules::parse_content(rules::trim(o.value.substr(comma + 1)));
  if (!content) return std::unexpected(content.error());
  w.bytes = content->bytes;
  w.negated = content->negated;
  return w;
}

Status setup_flowvar(RuleBuilder& b, const rules::Option& o) {
  auto w = wanted_of(o);
  if (!w) return std::unexpected(w.error());
  add_condition(b, [w = std::move(*w)](Runtime& rt) {
    return rt.flow_state != nullptr && rt.flow_state->extra != nullptr && w.in(rt.flow_state->extra->vars);
  });
  return {};
}

Status setup_pktvar(RuleBuilder& b, const rules::Option& o) {
  auto w = wanted_of(o);
  if (!w) return std::unexpected(w.error());
  add_condition(b, [w = std::move(*w)](Runtime& rt) { return w.in(rt.packet_vars); });
  return {};
}

constexpr Keyword kKeywords[] = {
    {"flowvar", "", KeywordKind::kFlow, ValueUse::kRequired, setup_flowvar, nullptr, 0, "<name>, [!]\"<content>\"",
     "A capture of an earlier rule (pcre with flow:<name>) holds this content."},
    {"pktvar", "", KeywordKind::kPacket, ValueUse::kRequired, setup_pktvar, nullptr, 0, "<name>, [!]\"<content>\"",
     "A capture from this packet (pcre with pkt:<name>) holds this content."},
};

}  // namespace

std::span<const Keyword> flowvar_keywords() { return kKeywords; }

}  // namespace vong::detect
