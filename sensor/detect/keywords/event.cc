// decode-event, stream-event, app-layer-event: what decoder, reassembly and parsers noticed.
#include "sensor/detect/keywords/common.h"
#include "sensor/applayer/core/driver.h"
#include "sensor/detect/app_protocols.h"

namespace vong::detect {
namespace {

std::string suggest_event(std::string_view word) {
  std::vector<std::string_view> names;
  for (const PacketEventInfo& e : all_packet_events()) names.push_back(e.name);
  return rules::suggestion(word, names);
}

MadeCondition packet_event(std::string_view value, const std::string& name) {
  const auto event = packet_event_by_name(name);
  if (!event) return value_error(value, fmt::format("unknown event {}{}", rules::shown(value), suggest_event(name)));
  return condition([e = *event](Runtime& rt) { return rt.packet->events.has(e); });
}

MadeCondition make_decode_event(std::string_view value) { return packet_event(value, to_lower(value)); }
MadeCondition make_stream_event(std::string_view value) {
  std::string name = to_lower(value);
  if (!name.starts_with("stream.")) name = "stream." + name;
  return packet_event(value, name);
}

// Events of finding a flow's protocol: of the flow, told once.
Status driver_event(RuleBuilder& b, const rules::Option& o) {
  const std::string name = to_lower(o.value);
  for (int i = 0; i < static_cast<int>(applayer::DriverEvent::kCount); ++i) {
    if (applayer::name_of(static_cast<applayer::DriverEvent>(i)) != name) continue;
    b.has_driver_event = true;
    add_condition(b, [bit = 1u << i](Runtime& rt) { return (rt.new_driver_events & bit) != 0; });
    return {};
  }
  return value_error(o.value, fmt::format("unknown event {}", rules::shown(o.value)));
}

Status setup_app_event(RuleBuilder& b, const rules::Option& o) {
  const size_t dot = o.value.find('.');
  if (dot == std::string_view::npos) return driver_event(b, o);
  const std::string proto = to_lower(o.value.substr(0, dot)), event = to_lower(o.value.substr(dot + 1));
  const std::vector<AppProto> apps = app_protocols_named(proto, b.env.catalog);
  if (apps.empty()) return value_error(o.value.substr(0, dot), fmt::format("unknown protocol {}", rules::shown(proto)));
  if (auto s = b.restrict_app(apps, o.value); !s) return s;
  bool built_in = false;
  for (const AppProto app : apps) {
    const applayer::ProtocolDef* def = b.env.catalog.protocol(app);
    if (def == nullptr) continue;
    built_in = true;
    for (size_t i = 0; i < def->events.size(); ++i) {
      if (def->events[i].rule_name != event) continue;
      if (auto s = b.restrict_app({app}, o.value); !s) return s;
      TxEngine e;
      e.kind = EngineKind::kEvent;
      e.event = static_cast<applayer::EventId>(i);
      return b.add_engine(e, true, true, o.value);
    }
  }
  if (built_in) {
    std::vector<std::string_view> names;
    for (const auto& e : b.env.catalog.protocol(apps[0])->events) names.push_back(e.rule_name);
    if (b.env.strict_app_event)
      return value_error(o.value.substr(dot + 1), fmt::format("{} has no event {}{}", proto, rules::shown(event), rules::suggestion(event, names)));
    // Rule files of other versions name events that come and go: such a rule is left out with a warning.
    b.env.skip_rule = b.env.skip_warns = true;
    b.env.skip_at = o.value.substr(dot + 1);
    b.env.skip_reason = fmt::format("{} has no event {}{}; the rule is left out", proto, rules::shown(event), rules::suggestion(event, names));
    return {};
  }
  // A protocol that is known by name only: the rule loads and never matches.
  add_condition(b, [](Runtime&) { return false; });
  return {};
}

constexpr uint16_t kEvent = Keyword::kEvent | Keyword::kEventsOnlyOk;
constexpr Keyword kKeywords[] = {
    {"decode-event", "engine-event", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_decode_event, kEvent, "<event>", "Something odd about the packet."},
    {"stream-event", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_stream_event, kEvent, "<event>", "Something odd about the TCP connection."},
    {"app-layer-event", "", KeywordKind::kApp, ValueUse::kRequired, setup_app_event, nullptr, 0, "<protocol>.<event> or <event>", "Something odd about the application protocol."},
};

}  // namespace

std::span<const Keyword> event_keywords() { return kKeywords; }

}  // namespace vong::detect
