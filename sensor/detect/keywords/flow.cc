// flow: direction and state of the flow.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

Status setup_flow(RuleBuilder& b, const rules::Option& o) {
  FlowSpec& f = b.body.flow;
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  const auto set = [](bool& flag, bool excluded, std::string_view at) -> Status {
    if (excluded) return value_error(at, "contradicts the part before it");
    if (flag) return value_error(at, "stands twice");
    flag = true;
    return {};
  };
  for (const std::string_view part : *parts) {
    const std::string word = to_lower(part);
    Status s;
    if (word == "to_server" || word == "from_client") s = set(f.to_server, f.to_client, part);
    else if (word == "to_client" || word == "from_server") s = set(f.to_client, f.to_server, part);
    else if (word == "established") s = set(f.established, f.not_established || f.stateless, part);
    else if (word == "not_established") s = set(f.not_established, f.established || f.stateless, part);
    else if (word == "stateless") s = set(f.stateless, f.established || f.not_established, part);
    else if (word == "only_stream") s = set(f.only_stream, f.no_stream, part);
    else if (word == "no_stream") s = set(f.no_stream, f.only_stream, part);
    else if (word == "only_frag") s = set(f.only_frag, f.no_frag, part);
    else if (word == "no_frag") s = set(f.no_frag, f.only_frag, part);
    else return value_error(part, fmt::format("unknown part of flow: {}", rules::shown(part)));
    if (!s) return s;
  }
  b.body.has_flow_spec = f.established || f.not_established || f.only_frag || f.no_frag || f.stateless;
  return {};
}

constexpr Keyword kKeywords[] = {
    {"flow", "", KeywordKind::kFlow, ValueUse::kRequired, setup_flow, nullptr, Keyword::kIpOnlyOk | Keyword::kEventsOnlyOk | Keyword::kOncePerRule,
     "to_server|to_client|from_server|from_client, established|not_established|stateless, only_stream|no_stream, only_frag|no_frag",
     "Direction and state of the flow."},
};

}  // namespace

std::span<const Keyword> flow_keywords() { return kKeywords; }

}  // namespace vong::detect
