// app-layer-protocol, app-layer-state: which protocol a flow speaks and how far it is.
#include "sensor/applayer/core/driver.h"
#include "sensor/detect/app_protocols.h"
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

enum class Mode : uint8_t { kDirection, kFinal, kOriginal, kToServer, kToClient, kEither, kBoth };

rules::Parsed<Mode> mode_of(std::string_view text) {
  if (text.empty() || text == "direction") return Mode::kDirection;
  if (text == "final") return Mode::kFinal;
  if (text == "original") return Mode::kOriginal;
  if (text == "to_server") return Mode::kToServer;
  if (text == "to_client") return Mode::kToClient;
  if (text == "either") return Mode::kEither;
  if (text == "both") return Mode::kBoth;
  return value_error(text, "expected direction, final, original, to_server, to_client, either or both");
}

// nullopt: nothing is known yet, so neither the name nor its negation matches.
std::optional<bool> compare(const Runtime& rt, Mode mode, const std::vector<AppProto>& wanted, bool unknown_wanted) {
  if (rt.flow == nullptr) return std::nullopt;
  const applayer::FlowAppState* s = applayer::app_state(*rt.flow);
  const auto is = [&](AppProto p) -> std::optional<bool> {
    if (p == AppProto::kUnknown) return unknown_wanted ? std::optional(true) : std::nullopt;
    return std::find(wanted.begin(), wanted.end(), p) != wanted.end();
  };
  const auto of = [&](Direction d) {
    if (s == nullptr) return AppProto::kUnknown;
    const AppProto p = s->proto_of[static_cast<size_t>(index(d))];
    return p;
  };
  switch (mode) {
    case Mode::kDirection: return is(of(rt.direction));
    case Mode::kFinal: return is(s == nullptr ? AppProto::kUnknown : s->proto);
    case Mode::kOriginal: return is(s == nullptr ? AppProto::kUnknown : s->proto_original);
    case Mode::kToServer: return is(of(Direction::kToServer));
    case Mode::kToClient: return is(of(Direction::kToClient));
    case Mode::kEither: {
      const auto a = is(of(Direction::kToServer)), c = is(of(Direction::kToClient));
      if (!a && !c) return std::nullopt;
      return a.value_or(false) || c.value_or(false);
    }
    case Mode::kBoth: {
      const auto a = is(of(Direction::kToServer)), c = is(of(Direction::kToClient));
      if (!a || !c) return std::nullopt;
      return *a && *c;
    }
  }
  return std::nullopt;
}

Status setup_protocol(RuleBuilder& b, const rules::Option& o) {
  std::string_view text = o.value;
  const bool negated = text.starts_with("!");
  if (negated) text = rules::trim(text.substr(1));
  const size_t comma = text.find(',');
  const auto mode = mode_of(comma == std::string_view::npos ? std::string_view() : rules::trim(text.substr(comma + 1)));
  if (!mode) return std::unexpected(mode.error());
  const std::string name = to_lower(rules::trim(text.substr(0, comma)));
  std::vector<AppProto> wanted;
  const bool unknown = name == "unknown";
  if (name == "failed") wanted = {AppProto::kFailed};
  else if (!unknown) wanted = app_protocols_named(name, b.env.catalog);
  if (wanted.empty() && !unknown) {
    std::vector<std::string_view> names{"failed", "unknown"};
    for (const auto* p : b.env.catalog.protocols()) names.push_back(p->name);
    return value_error(text, fmt::format("unknown protocol {}{}", rules::shown(name), rules::suggestion(name, names)));
  }
  if (!b.body.apps.empty() && !negated) {
    bool overlap = false;
    for (const AppProto a : wanted) overlap = overlap || b.body.app_fits(a);
    if (!overlap) return value_error(o.value, "contradicts the rule's protocol");
  }
  ++b.protocol_conditions;
  add_condition(b, [wanted, unknown, negated, m = *mode](Runtime& rt) {
    const auto r = compare(rt, m, wanted, unknown);
    return r && *r != negated;
  });
  return {};
}

// "[<|>]<progress>": only by number here; names belong to the protocols.
Status setup_state(RuleBuilder& b, const rules::Option& o) {
  std::string_view text = o.value;
  char op = '=';
  if (!text.empty() && (text[0] == '<' || text[0] == '>')) {
    op = text[0];
    text = rules::trim(text.substr(1));
  }
  const auto n = rules::parse_unsigned(text, 47);
  if (!n) return std::unexpected(n.error());
  if (b.body.apps.empty()) return value_error(o.name, "needs a rule of an application protocol");
  TxEngine e;
  e.kind = EngineKind::kCondition;
  b.set.conditions.push_back(condition([x = *n, op](Runtime& rt) {
    const uint64_t p = rt.tx->progress[static_cast<size_t>(index(rt.direction))];
    return op == '<' ? p < x : op == '>' ? p > x : p == x;
  }));
  e.condition = b.set.conditions.back().get();
  return b.add_engine(e, true, true, o.value);
}

// frame:<name> in a rule of a protocol, or frame:<protocol>.<name>
Status setup_frame(RuleBuilder& b, const rules::Option& o) {
  const std::string name = to_lower(o.value);
  std::vector<AppProto> apps = b.body.apps;
  const BufferName* frame = b.env.catalog.frame(name);
  if (const size_t dot = name.find('.'); dot != std::string::npos) {
    const auto named = app_protocols_named(name.substr(0, dot), b.env.catalog);
    if (!named.empty()) {
      apps = named;
      frame = b.env.catalog.frame(std::string_view(name).substr(dot + 1));
    }
  }
  if (apps.empty()) return value_error(o.value, "outside of a rule of an application protocol the frame is written <protocol>.<name>");
  std::erase_if(apps, [&](AppProto a) { return frame == nullptr || frame->by_frame[static_cast<size_t>(a)] < 0; });
  if (apps.empty()) return value_error(o.value, fmt::format("unknown frame {}", rules::shown(o.value)));
  if (auto s = b.restrict_app(apps, o.value); !s) return s;
  return b.set_sticky(*frame, o.value);
}

constexpr Keyword kKeywords[] = {
    {"frame", "", KeywordKind::kBuffer, ValueUse::kRequired, setup_frame, nullptr, 0, "[<protocol>.]<name>", "What follows looks at frames: units of the protocol's bytes."},
    {"app-layer-protocol", "", KeywordKind::kApp, ValueUse::kRequired, setup_protocol, nullptr, 0,
     "[!]<protocol|failed|unknown>[, direction|final|original|to_server|to_client|either|both]", "Protocol that was found in the flow."},
    {"app-layer-state", "", KeywordKind::kApp, ValueUse::kRequired, setup_state, nullptr, 0, "[<|>]<number>", "Progress of the transaction."},
};

}  // namespace

std::span<const Keyword> app_keywords() { return kKeywords; }

}  // namespace vong::detect
