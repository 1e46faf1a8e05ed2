#include "sensor/detect/rule_builder.h"

#include <algorithm>

#include "base/strings.h"
#include "fmt/format.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"
#include "sensor/detect/app_protocols.h"
#include "sensor/detect/keyword_reference.h"
#include "sensor/detect/limits.h"

namespace vong::detect {

using rules::value_error;

namespace {

struct HeaderProtocol {
  std::string_view name;
  uint16_t mask;
  uint8_t ip_version;
};
constexpr HeaderProtocol kProtocols[] = {
    {"ip", ProtoMask::kIp, 0},            {"ipv4", ProtoMask::kIp, 4},        {"ip4", ProtoMask::kIp, 4},
    {"ipv6", ProtoMask::kIp, 6},          {"ip6", ProtoMask::kIp, 6},         {"pkthdr", ProtoMask::kAny, 0},
    {"tcp", ProtoMask::kTcp, 0},          {"tcp-pkt", ProtoMask::kTcp, 0},    {"tcp-stream", ProtoMask::kTcp, 0},
    {"udp", ProtoMask::kUdp, 0},          {"icmp", ProtoMask::kIcmp4 | ProtoMask::kIcmp6, 0},
    {"icmpv4", ProtoMask::kIcmp4, 0},     {"icmpv6", ProtoMask::kIcmp6, 0},   {"igmp", ProtoMask::kOtherIp, 0},
    {"sctp", ProtoMask::kSctp, 0},        {"esp", ProtoMask::kOtherIp, 0},    {"ah", ProtoMask::kOtherIp, 0},
    {"gre", ProtoMask::kOtherIp, 0},      {"ether", ProtoMask::kAny, 0},      {"arp", ProtoMask::kNotIp, 0},
};

}  // namespace

std::vector<std::string_view> rule_protocols(const Catalog& catalog) {
  std::vector<std::string_view> names;
  for (const HeaderProtocol& p : kProtocols) names.push_back(p.name);
  for (const auto* p : catalog.protocols()) names.push_back(p->name);
  return names;
}

Status RuleBuilder::header() {
  const std::string name = to_lower(ast.protocol);
  uint16_t mask = 0;
  uint8_t version = 0;
  const auto known = std::find_if(std::begin(kProtocols), std::end(kProtocols), [&](const auto& p) { return p.name == name; });
  if (known != std::end(kProtocols)) {
    mask = known->mask;
    version = known->ip_version;
    if (name == "tcp-pkt") body.needs_packet = true;
    if (name == "tcp-stream") body.needs_stream = true;
    if (name == "arp") arp_only = true;
    if (name == "igmp") ip_protocol_only = 2;
    if (name == "ah") ip_protocol_only = 51;
    if (name == "esp") ip_protocol_only = 50;
    if (name == "gre") ip_protocol_only = 47;
  } else {
    body.apps = app_protocols_named(name, env.catalog);
    if (body.apps.empty()) {
      return value_error(ast.protocol, fmt::format("unknown protocol {}{}", rules::shown(ast.protocol),
                                                   rules::suggestion(name, rule_protocols(env.catalog))));
    }
    mask = ProtoMask::kTcp | ProtoMask::kUdp | ProtoMask::kSctp;
  }
  protocol_mask = mask;
  const std::string key = fmt::format("{}/{}/{} {} {} {}", mask, version, ast.src, ast.src_port, ast.dst, ast.dst_port);
  const auto it = env.header_by_key.find(key);
  if (it != env.header_by_key.end()) {
    body.header = it->second;
    return {};
  }
  Header h;
  h.protocols = mask;
  h.ip_version = version;
  auto src = env.lists.addresses(ast.src);
  if (!src) return std::unexpected(src.error());
  auto sport = env.lists.ports(ast.src_port);
  if (!sport) return std::unexpected(sport.error());
  auto dst = env.lists.addresses(ast.dst);
  if (!dst) return std::unexpected(dst.error());
  auto dport = env.lists.ports(ast.dst_port);
  if (!dport) return std::unexpected(dport.error());
  h.src = *src;
  h.sport = *sport;
  h.dst = *dst;
  h.dport = *dport;
  h.any = version == 0 && h.src->is_any() && h.dst->is_any() && h.ports_any();
  body.header = static_cast<uint32_t>(set.headers.size());
  set.headers.push_back(std::move(h));
  env.header_by_key.emplace(key, body.header);
  return {};
}

rules::Parsed<ListDraft*> RuleBuilder::current_list(std::string_view at) {
  if (sticky_list_ >= 0) return &lists[static_cast<size_t>(sticky_list_)];
  ListDraft* list = nullptr;
  if (sticky_base64_) {
    list = &list_for(nullptr, {}, true);
    list->base64 = true;
  } else {
    list = &list_for(sticky_, sticky_transforms_, sticky_ != nullptr && sticky_->multi, sticky_only_);
  }
  if (lists.size() > kMaxListsPerRule) return value_error(at, "too many buffers in one rule");
  sticky_list_ = static_cast<int>(list - lists.data());
  return list;
}

ListDraft& RuleBuilder::list_for(const BufferName* buffer, const std::vector<const Transform*>& chain, bool fresh,
                                 std::optional<Direction> only) {
  if (!fresh) {
    for (ListDraft& list : lists) {
      if (list.buffer == buffer && !list.base64 && list.transforms == chain && list.only == only) return list;
    }
  }
  lists.emplace_back();
  lists.back().only = only;
  lists.back().buffer = buffer;
  lists.back().transforms = chain;
  return lists.back();
}

rules::Parsed<std::optional<Direction>> RuleBuilder::only_direction(std::string_view text) const {
  if (text.empty()) return std::nullopt;
  const bool to_server = text == "to_server";
  if (!to_server && text != "to_client") return value_error(text, "expected to_server, to_client or nothing");
  if (ast.direction != rules::Direction::kTransaction) return value_error(text, "a direction stands in transactional rules (=>) only");
  return to_server ? Direction::kToServer : Direction::kToClient;
}

Status RuleBuilder::set_sticky(const BufferName& buffer, std::string_view at, std::optional<Direction> only) {
  if (auto s = leave_sticky(); !s) return s;
  if (buffer.name == "file.magic") set.file_needs.any = set.file_needs.magic = true;
  sticky_ = &buffer;
  sticky_only_ = only;
  sticky_base64_ = false;
  sticky_transforms_.clear();
  sticky_list_ = -1;
  sticky_open_at_ = at;
  return {};
}
// A buffer was named, so something has to look at it.
Status RuleBuilder::leave_sticky() const {
  if (sticky_ == nullptr || sticky_list_ >= 0) return {};
  return value_error(sticky_open_at_, sticky_transforms_.empty() ? "nothing looks at this buffer"
                                                                 : "transforms without anything that looks at their result");
}
Status RuleBuilder::set_payload(std::string_view at) {
  sticky_ = nullptr;
  sticky_only_.reset();
  sticky_base64_ = false;
  sticky_transforms_.clear();
  sticky_list_ = -1;
  sticky_open_at_ = at;
  return {};
}
Status RuleBuilder::set_base64(std::string_view at) {
  if (auto s = set_payload(at); !s) return s;
  sticky_base64_ = true;
  return {};
}
Status RuleBuilder::add_transform(const Transform* transform, std::string_view at) {
  if (sticky_ == nullptr) return value_error(at, "a transform needs a sticky buffer before it");
  if (sticky_transforms_.size() >= kMaxTransforms) return value_error(at, "too many transforms on one buffer");
  sticky_transforms_.push_back(transform);
  sticky_list_ = -1;
  return {};
}

Status RuleBuilder::add_node(const Node& node, std::string_view at) {
  const bool match = node.kind == NodeKind::kContent || node.kind == NodeKind::kPcre;
  if (!match && node.relative() && !has_sticky() && last_match_list_ >= 0) {
    return add_node_to(lists[static_cast<size_t>(last_match_list_)], node, at);
  }
  auto list = current_list(at);
  if (!list) return std::unexpected(list.error());
  return add_node_to(**list, node, at);
}

Status RuleBuilder::add_node_to(ListDraft& list, const Node& node, std::string_view at) {
  if (list.nodes.size() >= kMaxNodesPerList) return value_error(at, "too many contents on one buffer");
  list.nodes.push_back(node);
  list.where.push_back(at);
  const int i = static_cast<int>(&list - lists.data());
  if (node.kind == NodeKind::kContent) {
    last_list_ = i;
    last_node_ = static_cast<int>(list.nodes.size()) - 1;
  }
  if (node.kind == NodeKind::kContent || node.kind == NodeKind::kPcre) last_match_list_ = i;
  return {};
}

Node* RuleBuilder::last_content() {
  if (last_list_ < 0) return nullptr;
  return &lists[static_cast<size_t>(last_list_)].nodes[static_cast<size_t>(last_node_)];
}

Status RuleBuilder::move_last_content(const BufferName& buffer, std::string_view at) {
  if (last_list_ < 0) return value_error(at, "a content modifier needs a content before it");
  ListDraft& from = lists[static_cast<size_t>(last_list_)];
  if (from.buffer != nullptr || from.base64) return value_error(at, "a content modifier cannot be used after a sticky buffer");
  const Node node = from.nodes[static_cast<size_t>(last_node_)];
  if (node.content.fast_pattern && node.content.has_offset && node.content.chop_length != 0) {
    return value_error(at, "fast_pattern with offset and length cannot be moved");
  }
  const std::string_view where = from.where[static_cast<size_t>(last_node_)];
  from.nodes.erase(from.nodes.begin() + last_node_);
  from.where.erase(from.where.begin() + last_node_);
  if (sticky_list_ == last_list_ && from.nodes.empty()) sticky_list_ = -1;
  ListDraft& to = list_for(&buffer, {}, false);
  to.nodes.push_back(node);
  to.where.push_back(where);
  last_list_ = static_cast<int>(&to - lists.data());
  last_node_ = static_cast<int>(to.nodes.size()) - 1;
  last_match_list_ = last_list_;
  return {};
}

void RuleBuilder::warn(std::string message) {
  if (env.diagnostics == nullptr || env.diagnostics->size() >= kMaxWarnings) return;
  env.diagnostics->push_back({rules::Severity::kWarning, env.file_name, ast.pos, ast.sid, std::move(message)});
}

std::optional<uint16_t> RuleBuilder::variable(std::string_view name, bool create) {
  const auto it = std::find(variable_names.begin(), variable_names.end(), name);
  if (it != variable_names.end()) return static_cast<uint16_t>(it - variable_names.begin());
  if (!create || variable_names.size() >= kMaxVariablesPerRule) return std::nullopt;
  variable_names.emplace_back(name);
  return static_cast<uint16_t>(variable_names.size() - 1);
}

rules::Parsed<Operand> RuleBuilder::operand(std::string_view text, int64_t min, int64_t max) {
  const bool number = !text.empty() && (rules::is_digit(text[0]) || text[0] == '-' || text[0] == '+');
  if (number) {
    const auto value = rules::parse_signed(text, min, max);
    if (!value) return std::unexpected(value.error());
    return Operand{*value, -1};
  }
  const auto v = variable(text, false);
  if (!v) return value_error(text, fmt::format("neither a number nor a variable of this rule: {}", rules::shown(text)));
  return Operand{0, static_cast<int16_t>(*v)};
}

Status RuleBuilder::restrict_app(std::vector<AppProto> apps, std::string_view at) {
  if (body.apps.empty()) {
    body.apps = std::move(apps);
    return {};
  }
  std::vector<AppProto> both;
  for (const AppProto a : body.apps) {
    if (std::find(apps.begin(), apps.end(), a) != apps.end()) both.push_back(a);
  }
  if (both.empty()) return value_error(at, fmt::format("is not a keyword of the protocol {}", rules::shown(ast.protocol)));
  body.apps = std::move(both);
  return {};
}

Status RuleBuilder::add_engine(TxEngine engine, bool to_server, bool to_client, std::string_view at) {
  if (engines.size() >= kMaxListsPerRule) return value_error(at, "too many protocol keywords in one rule");
  engine.dirs[0] = to_server;
  engine.dirs[1] = to_client;
  engines.push_back(engine);
  return {};
}

Status RuleBuilder::option(const rules::Option& o) {
  const std::string name = to_lower(o.name);
  if (const Keyword* k = keyword_by_name(name)) {
    if (k->flags & Keyword::kUnsupported) return value_error(o.name, fmt::format("{}: {}", k->name, k->help));
    if (k->value == ValueUse::kRequired && (!o.has_value || o.value.empty())) {
      return value_error(o.name, fmt::format("{} needs a value: {}", k->name, k->syntax));
    }
    if (k->value == ValueUse::kNone && o.has_value && !o.value.empty()) {
      return value_error(o.value, fmt::format("{} takes no value", k->name));
    }
    if (k->flags & Keyword::kOncePerRule) {
      for (const rules::Option& before : ast.options) {
        if (&before == &o) break;
        if (keyword_by_name(to_lower(before.name)) == k) return value_error(o.name, fmt::format("{} stands twice", k->name));
      }
    }
    if ((k->flags & Keyword::kIpOnlyOk) == 0) all_ip_only_ok = false;
    if ((k->flags & Keyword::kEventsOnlyOk) == 0) all_events_only_ok = false;
    if (k->flags & Keyword::kEvent) has_event = true;
    if (k->flags & Keyword::kNeedsPacket) body.needs_packet = true;
    if (k->condition != nullptr) {
      std::string key = fmt::format("{}\x01{}", k->name, o.value);
      const auto it = env.condition_by_option.find(key);
      if (it != env.condition_by_option.end()) {
        add_condition(it->second);
        return {};
      }
      auto made = k->condition(o.value);
      if (!made) return std::unexpected(made.error());
      set.conditions.push_back(std::move(*made));
      env.condition_by_option.emplace(std::move(key), set.conditions.back().get());
      add_condition(set.conditions.back().get());
      return {};
    }
    return k->setup(*this, o);
  }
  return protocol_option(name, o);
}

bool fingerprints_off(const Settings& settings, std::string_view kind) {
  return parse_flag(settings.text(fmt::format("app-layer.protocols.tls.{}-fingerprints", kind), "auto")) == false;
}

Status RuleBuilder::protocol_option(const std::string& name, const rules::Option& o) {
  all_ip_only_ok = all_events_only_ok = false;
  if (const TransformDef* t = transform_by_name(name)) return transform_option(*t, o);
  if (const BufferName* buffer = env.catalog.buffer(name)) {
    for (const std::string_view kind : {"ja3", "ja4"}) {
      if (buffer->name.starts_with(kind) && fingerprints_off(env.settings, kind))
        return value_error(o.name, fmt::format("{} fingerprints are turned off by the configuration", kind));
    }
    // An old name can be both: after a plain content it is a modifier, else a sticky buffer.
    const auto only = only_direction(o.value);
    if (!only) return std::unexpected(only.error());
    return set_sticky(*buffer, o.name, *only);
  }
  if (const BufferName* buffer = env.catalog.modifier(name)) return move_last_content(*buffer, o.name);
  if (const NumberName* number = env.catalog.number(name)) return number_option(*number, o);
  if (const MatcherName* matcher = env.catalog.matcher(name)) return matcher_option(*matcher, o);
  std::vector<std::string_view> known = env.catalog.names();
  for (const Keyword* k : keywords()) known.push_back(k->name);
  for (const TransformDef& t : transforms()) known.push_back(t.name);
  return value_error(o.name, fmt::format("unknown keyword {}{}", rules::shown(o.name), rules::suggestion(name, known)));
}

Status RuleBuilder::transform_option(const TransformDef& def, const rules::Option& o) {
  if (!def.takes_value && o.has_value && !o.value.empty()) return value_error(o.value, fmt::format("{} takes no value", def.name));
  if (def.takes_value && o.value.empty() && def.syntax.front() != '[') {
    return value_error(o.name, fmt::format("{} needs a value: {}", def.name, def.syntax));
  }
  const std::string key = fmt::format("{}\x01{}", def.name, o.value);
  const Transform* transform = nullptr;
  const auto it = env.transform_by_option.find(key);
  if (it != env.transform_by_option.end()) {
    transform = it->second;
  } else {
    auto made = def.make(o.value);
    if (!made) {
      auto error = made.error();
      if (error.at.data() == nullptr) error.at = o.name;
      return std::unexpected(error);
    }
    set.transforms.push_back(std::move(*made));
    transform = set.transforms.back().get();
    env.transform_by_option.emplace(key, transform);
  }
  return add_transform(transform, o.name);
}

namespace {

// "any", "all", "all1", "nth", "count" before or after a comma: which of several numbers is meant (multi-integers).
Status parse_number_mode(std::string_view text, NumberCheck& check) {
  if (text == "any") check.mode = NumberCheck::Mode::kAny;
  else if (text == "all") check.mode = NumberCheck::Mode::kAllOrNone;
  else if (text == "all1") check.mode = NumberCheck::Mode::kAll;
  else {
    const auto index = rules::parse_signed(text, -1'000'000, 1'000'000);
    if (!index) return value_error(text, "expected any, all, all1 or an index");
    check.mode = NumberCheck::Mode::kIndex;
    check.index = static_cast<int32_t>(*index);
  }
  return {};
}

}  // namespace

Status RuleBuilder::number_option(const NumberName& name, const rules::Option& o) {
  if (o.value.empty()) return value_error(o.name, fmt::format("{} needs a number", name.name));
  const std::string key = fmt::format("{}\x01{}", name.name, o.value);
  const NumberCheck* check = nullptr;
  if (const auto it = env.number_by_option.find(key); it != env.number_by_option.end()) {
    check = it->second;
  } else {
    auto parsed = parse_number_check(name, o.value);
    if (!parsed) return std::unexpected(parsed.error());
    set.numbers.push_back(*parsed);
    check = &set.numbers.back();
    env.number_by_option.emplace(key, check);
  }
  TxEngine engine;
  engine.kind = EngineKind::kNumber;
  engine.number = check;
  std::vector<AppProto> apps;
  for (size_t i = 0; i < kAppProtoCount; ++i) {
    if (name.by_proto[i] != nullptr) apps.push_back(static_cast<AppProto>(i));
  }
  if (auto s = restrict_app(apps, o.name); !s) return s;
  return add_engine(engine, name.to_server, name.to_client, o.name);
}

rules::Parsed<NumberCheck> RuleBuilder::parse_number_check(const NumberName& name, std::string_view value) {
  NumberCheck check{&name, {}, NumberCheck::Mode::kAny, 0};
  const auto parts = rules::split_parts(value);
  if (!parts) return std::unexpected(parts.error());
  std::string_view test = parts->empty() ? value : (*parts)[0];
  if (name.first->multi && test.starts_with("count ")) {
    check.mode = NumberCheck::Mode::kCount;
    test = rules::trim(test.substr(6));
  } else if (parts->size() == 2 && name.first->multi) {
    if (auto s = parse_number_mode((*parts)[1], check); !s) return std::unexpected(s.error());
  } else if (parts->size() > 1) {
    return value_error((*parts)[1], "one number only");
  }
  const int bits = name.first->bits;
  const uint64_t max = bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  std::string_view word = test;
  const bool negated = !word.empty() && word[0] == '!';
  if (negated) word = rules::trim(word.substr(1));
  for (size_t i = 0; i < kAppProtoCount; ++i) {
    if (name.by_proto[i] == nullptr) continue;
    for (const auto& v : name.by_proto[i]->values) {
      if (!equals_ignore_case(v.name, word)) continue;
      check.test = {negated ? rules::Compare::kNotEqual : rules::Compare::kEqual, v.value, 0};
      return check;
    }
  }
  auto parsed = rules::parse_number_test(test, max);
  if (!parsed) return std::unexpected(parsed.error());
  check.test = *parsed;
  return check;
}

Status RuleBuilder::matcher_option(const MatcherName& name, const rules::Option& o) {
  const std::string key = fmt::format("{}\x01{}", name.name, o.value);
  const MatcherCheck* check = nullptr;
  std::vector<AppProto> apps;
  for (size_t i = 0; i < kAppProtoCount; ++i) {
    if (name.by_proto[i] != nullptr) apps.push_back(static_cast<AppProto>(i));
  }
  if (const auto it = env.matcher_by_option.find(key); it != env.matcher_by_option.end()) {
    check = it->second;
  } else {
    MatcherCheck made;
    made.matcher = &name;
    for (const AppProto app : apps) {
      auto parsed = name.by_proto[static_cast<size_t>(app)]->parse(o.value);
      if (!parsed) return value_error(o.value.empty() ? o.name : o.value, parsed.error().message);
      made.parsed.emplace_back(app, std::move(*parsed));
    }
    set.matchers.push_back(std::move(made));
    check = &set.matchers.back();
    env.matcher_by_option.emplace(key, check);
  }
  TxEngine engine;
  engine.kind = EngineKind::kMatcher;
  engine.matcher = check;
  if (auto s = restrict_app(apps, o.name); !s) return s;
  return add_engine(engine, name.to_server, name.to_client, o.name);
}

Status RuleBuilder::compile() {
  rule.sid = ast.sid;
  rule.gid = ast.gid;
  rule.rev = ast.rev;
  rule.action = ast.action;
  // A rule for another version may be written in a way that this one cannot read: that is asked first.
  for (const rules::Option& o : ast.options) {
    if (!equals_ignore_case(o.name, "requires")) continue;
    if (auto s = option(o); !s) return s;
    if (env.skip_rule) return {};
  }
  if (auto s = header(); !s) return s;
  for (const rules::Option& o : ast.options) {
    if (equals_ignore_case(o.name, "requires")) continue;
    if (auto s = option(o); !s) return s;
  }
  return finish();
}

}  // namespace vong::detect
