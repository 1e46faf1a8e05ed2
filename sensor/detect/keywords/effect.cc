// What a rule does besides raising an alert: noalert, tag, bypass, config and the like.
#include "sensor/detect/keywords/common.h"

#include <algorithm>

namespace vong::detect {
namespace {

Status setup_noalert(RuleBuilder& b, const rules::Option&) {
  b.rule.noalert = true;
  return {};
}

Status setup_alert(RuleBuilder& b, const rules::Option&) {
  b.body.pass_alerts = true;
  return {};
}

// tag:session|host, <count>, packets|bytes|seconds[, src|dst]
Status setup_tag(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->empty() || parts->size() > 4) return value_error(o.value, "expected session|host, <count>, packets|bytes|seconds[, src|dst]");
  const bool session = (*parts)[0] == "session";
  if (!session && (*parts)[0] != "host") return value_error((*parts)[0], "expected session or host");
  if (!session && parts->size() != 4) return value_error(o.value, "a host's tag says src or dst");
  uint64_t count = 256;
  auto metric = FlowExtra::Tag::Metric::kPackets;
  if (parts->size() > 1) {
    const auto n = rules::parse_unsigned((*parts)[1], 0xffffffffu);
    if (!n) return std::unexpected(n.error());
    count = *n;
  }
  if (parts->size() > 2) {
    const std::string_view m = (*parts)[2];
    if (m == "packets") metric = FlowExtra::Tag::Metric::kPackets;
    else if (m == "bytes") metric = FlowExtra::Tag::Metric::kBytes;
    else if (m == "seconds") metric = FlowExtra::Tag::Metric::kSeconds;
    else return value_error(m, "expected packets, bytes or seconds");
  }
  bool dst = false;
  if (parts->size() == 4) {
    if ((*parts)[3] != "src" && (*parts)[3] != "dst") return value_error((*parts)[3], "expected src or dst");
    dst = (*parts)[3] == "dst";
  }
  add_effect(b, [session, count, metric, dst](Runtime& rt) {
    if (rt.observing) return;
    FlowExtra::Tag tag;
    tag.metric = metric;
    tag.rule = uint64_t{rt.rule->gid} << 32 | rt.rule->sid;
    tag.limit = count;
    tag.until_ns = to_ns(rt.packet->ts) + static_cast<int64_t>(count) * 1'000'000'000;
    const auto add_to = [&](std::vector<FlowExtra::Tag>& tags) {
      const bool known = std::any_of(tags.begin(), tags.end(), [&](const auto& t) { return t.rule == tag.rule; });
      if (!known && tags.size() < kMaxTags) tags.push_back(tag);
    };
    if (session && rt.flow_state != nullptr) {
      add_to(rt.flow_state->more().tags);
    } else if (!session) {
      std::lock_guard lock(rt.shared->tags_mutex);
      const IpAddress& host = dst ? rt.packet->dst : rt.packet->src;
      auto& hosts = rt.shared->tagged_hosts;
      if (hosts.size() >= rt.shared->tagged_hosts_max && !hosts.contains(host)) {
        ++rt.counters->host_table_full;
        return;
      }
      add_to(hosts[host]);
      rt.shared->any_tagged_host = true;
    }
  });
  return {};
}

Status setup_bypass(RuleBuilder& b, const rules::Option&) {
  add_effect(b, [](Runtime& rt) {
    if (rt.flow_state == nullptr) return;
    rt.flow_state->bypass = true;
    rt.flow->phase = flow::FlowPhase::kBypassed;
  });
  return {};
}

Status setup_target(RuleBuilder& b, const rules::Option& o) {
  if (o.value == "src_ip") b.rule.target = Target::kSource;
  else if (o.value == "dest_ip") b.rule.target = Target::kDestination;
  else return value_error(o.value, "expected src_ip or dest_ip");
  return {};
}

// config:logging disable, type tx, scope tx
Status setup_config(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  bool flow_scope = false;
  for (const std::string_view part : *parts) {
    const auto [key, value] = rules::split_key(part);
    if (key == "logging" && value == "disable") continue;
    if (key == "tracking" && value == "disable") continue;
    if (key == "type" && (value == "tx" || value == "flow")) continue;
    if (key == "scope" && (value == "tx" || value == "flow")) {
      flow_scope = value == "flow";
      continue;
    }
    return value_error(part, "expected logging disable, type tx|flow, scope tx|flow");
  }
  add_effect(b, [flow_scope](Runtime& rt) {
    if (rt.tx != nullptr && !flow_scope) const_cast<applayer::Transaction*>(rt.tx)->logged = ~0u;
    if (flow_scope && rt.flow_state != nullptr) rt.flow_state->logging_off = true;
  });
  return {};
}

Status setup_prefilter(RuleBuilder& b, const rules::Option& o) {
  b.prefilter_keyword = true;
  // After a content it means that content, as fast_pattern does.
  Node* content = b.last_content();
  const ListDraft* list = b.last_list();
  if (content != nullptr && list != nullptr && !list->base64 && !content->content.negated && &list->nodes.back() == content) {
    content->content.fast_pattern = true;
  } else if (content == nullptr && b.conditions.empty() && b.engines.empty() && b.lists.empty()) {
    return value_error(o.name, "prefilter needs a keyword before it");
  }
  return {};
}

Status setup_nothing(RuleBuilder&, const rules::Option&) { return {}; }

constexpr uint16_t kFlags = Keyword::kIpOnlyOk | Keyword::kEventsOnlyOk;
constexpr Keyword kKeywords[] = {
    {"noalert", "", KeywordKind::kEffect, ValueUse::kNone, setup_noalert, nullptr, kFlags, "", "The rule does its other work and raises no alert."},
    {"alert", "", KeywordKind::kEffect, ValueUse::kNone, setup_alert, nullptr, kFlags, "", "A pass rule raises an alert all the same."},
    {"tag", "", KeywordKind::kEffect, ValueUse::kRequired, setup_tag, nullptr, kFlags, "session|host, <count>, packets|bytes|seconds[, src|dst]",
     "Logs the packets that follow the match."},
    {"bypass", "", KeywordKind::kEffect, ValueUse::kNone, setup_bypass, nullptr, kFlags, "", "The rest of the flow is not inspected."},
    {"target", "", KeywordKind::kEffect, ValueUse::kRequired, setup_target, nullptr, kFlags, "src_ip|dest_ip", "Which side of the alert is the victim."},
    {"config", "", KeywordKind::kEffect, ValueUse::kRequired, setup_config, nullptr, 0, "logging disable, type tx|flow, scope tx|flow",
     "Turns logging off for what matched."},
    {"prefilter", "", KeywordKind::kModifier, ValueUse::kNone, setup_prefilter, nullptr, kFlags, "", "The keyword before it is to be used as prefilter."},
    {"nfq_set_mark", "", KeywordKind::kEffect, ValueUse::kRequired, setup_nothing, nullptr, kFlags, "<mark>/<mask>", "Accepted and ignored: a passive sensor marks no packets."},
};

}  // namespace

std::span<const Keyword> effect_keywords() { return kKeywords; }

}  // namespace vong::detect
