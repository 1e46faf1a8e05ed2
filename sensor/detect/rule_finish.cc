// The second half of RuleBuilder: what can only be judged once all options of a rule are known.
#include <algorithm>
#include <bitset>

#include "base/strings.h"
#include "fmt/format.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"
#include "sensor/detect/content_rules.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/rule_builder.h"

namespace vong::detect {

using rules::value_error;

bool Node::relative() const {
  switch (kind) {
    case NodeKind::kContent: return content.relative();
    case NodeKind::kPcre: return pcre.relative;
    case NodeKind::kIsDataAt: return is_data_at.relative;
    case NodeKind::kByteTest: return byte_test.field.relative;
    case NodeKind::kByteJump: return byte_jump.field.relative;
    case NodeKind::kByteExtract: return byte_extract.field.relative;
    case NodeKind::kByteMath: return byte_math.field.relative;
    case NodeKind::kBase64Decode: return base64.relative;
    default: return false;
  }
}

Status RuleBuilder::finish_content(ListDraft& list, size_t i) {
  ContentNode& c = list.nodes[i].content;
  const std::string_view at = list.where[i];
  const auto length = static_cast<int64_t>(c.length);
  if (c.relative() && (c.has_offset || c.has_depth)) {
    return value_error(at, "a content is either absolute (offset, depth) or relative (distance, within), not both");
  }
  if (c.starts_with && (c.has_offset || c.has_depth || c.relative())) {
    return value_error(at, "startswith cannot be combined with offset, depth, distance or within");
  }
  if (c.has_depth && c.depth.variable < 0 && c.depth.value < length) {
    return value_error(at, fmt::format("depth {} is less than the content's {} bytes", c.depth.value, length));
  }
  if (c.has_within && c.within.variable < 0 && c.within.value < length) {
    return value_error(at, fmt::format("within {} is less than the content's {} bytes", c.within.value, length));
  }
  if (c.negated && c.fast_pattern) {
    if (c.fast_pattern_only) return value_error(at, "fast_pattern:only with a negated content");
    if (c.relative() || c.has_offset || c.has_depth) {
      return value_error(at, "fast_pattern on a negated content that has a place");
    }
  }
  if (c.fast_pattern_only && (c.relative() || c.has_offset || c.has_depth)) {
    return value_error(at, "fast_pattern:only on a content that has a place");
  }
  if (c.chop_length != 0 && static_cast<uint32_t>(c.chop_offset) + c.chop_length > c.length) {
    return value_error(at, "fast_pattern reaches behind the end of the content");
  }
  return {};
}

// A content or pcre whose successor is relative to it tries all its occurrences.
void RuleBuilder::mark_relative(ListDraft& list) {
  for (size_t i = 0; i < list.nodes.size(); ++i) {
    if (!list.nodes[i].relative()) continue;
    for (size_t j = i; j-- > 0;) {
      Node& before = list.nodes[j];
      if (before.kind == NodeKind::kContent) {
        before.content.relative_next = true;
        break;
      }
      if (before.kind == NodeKind::kPcre) {
        before.pcre.relative_next = true;
        break;
      }
    }
  }
}

Status RuleBuilder::finish_list(ListDraft& list) {
  for (size_t i = 0; i < list.nodes.size(); ++i) {
    Node& node = list.nodes[i];
    if (node.kind == NodeKind::kContent) {
      if (auto s = finish_content(list, i); !s) return s;
      if (list.base64 && node.content.fast_pattern) {
        return value_error(list.where[i], "fast_pattern cannot be used with base64_data");
      }
      ContentNode& c = node.content;
      if (list.buffer != nullptr && list.transforms.empty() && c.phrase == nullptr) {
        const auto form = content_in(list.buffer->name, {reinterpret_cast<const char*>(c.bytes), c.length}, c.nocase);
        if (!form.never.empty()) return value_error(list.where[i], std::string(form.never));
        if (form.bytes) c.bytes = reinterpret_cast<const uint8_t*>(set.keep(*form.bytes).data());
      }
      if (c.nocase) {
        std::string lower(reinterpret_cast<const char*>(c.bytes), c.length);
        for (char& x : lower) x = ascii_lower(x);
        c.bytes = reinterpret_cast<const uint8_t*>(set.keep(lower).data());
      }
      if (c.phrase != nullptr && c.nocase) return value_error(list.where[i], "vn_text has its own rule of letter case: no nocase");
      for (const Transform* t : list.transforms) {
        if (c.phrase != nullptr) break;
        if (const auto why = t->never_gives({reinterpret_cast<const char*>(c.bytes), c.length}); why && !c.nocase && !c.negated) {
          return value_error(list.where[i], *why);
        }
      }
    }
    if (node.kind == NodeKind::kSize && node.size.test.compare == rules::Compare::kEqual) {
      for (size_t j = 0; j < list.nodes.size(); ++j) {
        const Node& other = list.nodes[j];
        if (other.kind == NodeKind::kContent && !other.content.negated && other.content.length > node.size.test.a) {
          return value_error(list.where[j], "the content is longer than the buffer may be");
        }
      }
    }
  }
  mark_relative(list);
  return {};
}

const BufferUse* RuleBuilder::use_of(const ListDraft& list) {
  std::string key(list.buffer->frame ? "frame:" : "");
  key += list.buffer->name;
  for (const Transform* t : list.transforms) key += fmt::format("/{}", static_cast<const void*>(t));
  const auto it = env.use_by_key.find(key);
  if (it != env.use_by_key.end()) return it->second;
  auto use = std::make_unique<BufferUse>();
  use->index = static_cast<uint32_t>(set.uses.size());
  use->buffer = list.buffer;
  use->transforms = list.transforms;
  use->label = fmt::format("{}{}", list.buffer->name, list.transforms.empty() ? "" : "+");
  set.uses.push_back(std::move(use));
  env.use_by_key.emplace(std::move(key), set.uses.back().get());
  return set.uses.back().get();
}

bool RuleBuilder::in_direction(const BufferName& buffer, Direction d) const {
  for (size_t i = 0; i < kAppProtoCount; ++i) {
    const applayer::BufferDef* def = buffer.by_proto[i];
    if (def == nullptr || !body.app_fits(static_cast<AppProto>(i))) continue;
    if ((d == Direction::kToServer ? def->to_server_progress : def->to_client_progress) != applayer::BufferDef::kNotHere) return true;
  }
  return false;
}

// The protocols of the buffers that were used; buffers that many protocols carry (files) do not narrow a rule.
Status RuleBuilder::finish_apps() {
  const auto protocols_of = [](const BufferName& b) {
    std::vector<AppProto> apps;
    for (size_t i = 0; i < kAppProtoCount; ++i) {
      if (b.by_proto[i] != nullptr) apps.push_back(static_cast<AppProto>(i));
    }
    return apps;
  };
  for (size_t i = 0; i < lists.size(); ++i) {
    const BufferName* b = lists[i].buffer;
    if (b == nullptr || !b->is_app() || lists[i].nodes.empty()) continue;
    if (b->name.starts_with("file")) continue;
    if (auto s = restrict_app(protocols_of(*b), lists[i].where[0]); !s) {
      return value_error(lists[i].where[0], fmt::format("{} is not a buffer of the protocol {}", b->name, rules::shown(ast.protocol)));
    }
  }
  return {};
}

Status RuleBuilder::finish_directions() {
  const bool transactional = ast.direction == rules::Direction::kTransaction;
  bool only_server = false, only_client = false;
  std::string_view at = ast.text;
  const auto note = [&](bool server, bool client, std::string_view where) {
    if (server && !client) only_server = true;
    if (client && !server) only_client = true;
    at = where;
  };
  for (const ListDraft& list : lists) {
    if (list.buffer == nullptr || !list.buffer->is_app() || (list.nodes.empty() && !list.absent)) continue;
    note(in_direction(*list.buffer, Direction::kToServer), in_direction(*list.buffer, Direction::kToClient),
         list.where.empty() ? ast.protocol : list.where[0]);
  }
  for (const TxEngine& e : engines) note(e.dirs[0], e.dirs[1], ast.protocol);
  body.dirs[0] = !body.flow.to_client;
  body.dirs[1] = !body.flow.to_server;
  if (transactional) {
    if (body.flow.to_server || body.flow.to_client) {
      return value_error(ast.protocol, "a transactional rule (=>) has no flow direction");
    }
    body.both_directions = true;
    return {};
  }
  if (only_server && only_client) {
    return value_error(at, "keywords of both directions: such a rule is written with => instead of ->");
  }
  if (only_server) body.dirs[1] = false;
  if (only_client) body.dirs[0] = false;
  if (!body.dirs[0] && !body.dirs[1]) {
    return value_error(at, fmt::format("only to be found {}, but the rule's flow goes the other way", only_server ? "to_server" : "to_client"));
  }
  return {};
}

Status RuleBuilder::finish_payload() {
  if (body.flow.only_stream) body.needs_stream = true;
  if (body.flow.no_stream) body.needs_packet = true;
  if (body.needs_packet && body.needs_stream && (protocol_mask & ProtoMask::kTcp) != 0) {
    return value_error(ast.protocol, "packet keywords cannot be mixed with tcp-stream or flow:only_stream");
  }
  if ((protocol_mask & ProtoMask::kTcp) == 0 || body.needs_packet || body.needs_stream) return {};
  for (const ListDraft& list : lists) {
    if (list.buffer != nullptr || list.base64 || list.nodes.empty()) continue;
    body.needs_stream = true;
    // A place counted from the beginning is asked of packets too: where the stream is cut is nothing that a rule's author knows.
    for (const Node& n : list.nodes) {
      if (n.kind == NodeKind::kContent && (n.content.has_depth || n.content.has_offset || n.content.starts_with)) {
        body.needs_packet = true;
      }
    }
  }
  return {};
}

void RuleBuilder::choose_type() {
  const Header& h = set.headers[body.header];
  const bool looks = !body.payload.empty() || !body.packet_buffers.empty();
  if (!body.frames.empty()) {
    body.type = RuleType::kFrame;
  } else if (!body.engines.empty()) {
    body.type = RuleType::kTransaction;
  } else if (has_event && all_events_only_ok && !looks && body.apps.empty()) {
    body.type = RuleType::kEventsOnly;
  } else if (looks) {
    body.type = body.needs_stream ? RuleType::kStream : RuleType::kPacket;
  } else if (protocol_conditions > 0 && protocol_conditions == conditions.size() && body.apps.empty() && !body.has_flow_spec) {
    body.type = RuleType::kProtocolOnly;
  } else if (body.apps.empty() && all_ip_only_ok && (h.ports_any() || protocol_mask == ProtoMask::kIp) && !body.flow.to_server && !body.flow.to_client && !body.has_flow_spec &&
             (protocol_mask & ProtoMask::kNotIp) == 0 && !body.needs_packet && !body.needs_stream) {
    body.type = RuleType::kIpOnly;
  } else {
    body.type = RuleType::kPacket;
  }
}

namespace {

// How selective a pattern is: different bytes count more than repeated ones, letters and digits least.
int strength(const uint8_t* bytes, size_t n) {
  std::bitset<256> seen;
  int score = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint8_t b = bytes[i];
    if (seen.test(b)) {
      score += 1;
      continue;
    }
    seen.set(b);
    if (b == 0 || b == ' ' || b == 0xff || b == '\r' || b == '\n') score += 2;
    else if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9')) score += 3;
    else if (b >= 0x20 && b < 0x7f) score += 4;
    else score += 5;
  }
  return score;
}

}  // namespace

void RuleBuilder::choose_fast_pattern() {
  int best = -1;
  bool best_explicit = false, best_app = false;
  const auto consider = [&](std::span<const Node> nodes, const BufferUse* use, bool app) {
    for (const Node& n : nodes) {
      if (n.kind != NodeKind::kContent || n.content.negated) continue;
      const bool chosen = n.content.fast_pattern;
      const uint8_t* bytes = n.content.bytes + (n.content.chop_length != 0 ? n.content.chop_offset : 0);
      const int score = strength(bytes, n.content.chop_length != 0 ? n.content.chop_length : n.content.length);
      const auto rank = std::tuple(chosen, app, score);
      if (best >= 0 && rank <= std::tuple(best_explicit, best_app, best)) continue;
      best = score;
      best_explicit = chosen;
      best_app = app;
      body.has_fast_pattern = true;
      body.fast = &n.content;
      body.fast_use = use;
    }
  };
  for (TxEngine& e : body.engines) {
    if (e.kind == EngineKind::kBuffer && !e.absent_matches) consider(e.nodes, e.use, true);
  }
  for (const PacketBufferCheck& c : body.packet_buffers) {
    if (c.use->buffer->packet != nullptr && !c.use->buffer->packet->addresses && body.engines.empty()) consider(c.nodes, c.use, false);
  }
  consider(body.payload, nullptr, false);
  for (TxEngine& e : body.engines) {
    e.fast_pattern = body.has_fast_pattern && e.kind == EngineKind::kBuffer && e.use == body.fast_use;
  }
}

Status RuleBuilder::finish() {
  if (auto s = leave_sticky(); !s) return s;
  body.arp_only = arp_only;
  body.ip_protocol_only = ip_protocol_only;
  body.flow_scope = ast.scope == rules::ActionScope::kFlow;
  if (auto s = finish_apps(); !s) return s;
  if (auto s = hook(); !s) return s;
  if (auto s = finish_directions(); !s) return s;
  if (auto s = finish_payload(); !s) return s;
  for (ListDraft& list : lists) {
    if (auto s = finish_list(list); !s) return s;
  }
  // base64_data's list first: the decoding node points to it.
  std::span<const Node> base64;
  for (const ListDraft& list : lists) {
    if (list.base64) base64 = set.keep_array<Node>(std::span(list.nodes));
  }
  bool decodes = false;
  for (ListDraft& list : lists) {
    for (Node& n : list.nodes) {
      if (n.kind != NodeKind::kBase64Decode) continue;
      n.base64.nodes = base64.data();
      n.base64.node_count = static_cast<uint32_t>(base64.size());
      decodes = true;
    }
  }
  if (!base64.empty() && !decodes) return value_error(ast.protocol, "base64_data without base64_decode");
  for (const ListDraft& list : lists) {
    if (list.base64 || (list.nodes.empty() && !list.absent)) continue;
    const auto nodes = set.keep_array<Node>(std::span(list.nodes));
    if (list.buffer == nullptr) {
      body.payload = nodes;
      for (const Node& n : nodes) {
        if (n.kind == NodeKind::kContent && (n.content.has_depth || n.content.has_offset || n.content.starts_with)) body.placed = true;
      }
      continue;
    }
    const BufferUse* use = use_of(list);
    if (list.buffer->packet != nullptr) {
      body.packet_buffers.push_back({use, nodes});
      continue;
    }
    if (list.buffer->frame) {
      body.frames.push_back({use, nodes});
      continue;
    }
    TxEngine e;
    e.use = use;
    e.nodes = nodes;
    e.absent_matches = list.absent;
    const auto asked = [&](Direction d) { return in_direction(*list.buffer, d) && (!list.only || *list.only == d); };
    if (!asked(Direction::kToServer) && !asked(Direction::kToClient)) {
      return value_error(list.where.empty() ? ast.protocol : list.where[0], fmt::format("{} does not occur in this direction", list.buffer->name));
    }
    if (auto s = add_engine(e, asked(Direction::kToServer), asked(Direction::kToClient), ast.protocol); !s) return s;
  }
  for (TxEngine& e : engines) {
    if (!body.both_directions) {
      e.dirs[0] = e.dirs[0] && body.dirs[0];
      e.dirs[1] = e.dirs[1] && body.dirs[1];
    }
    if (!e.dirs[0] && !e.dirs[1]) continue;
    body.engines.push_back(e);
  }
  if (!body.frames.empty() && (!body.engines.empty() || !body.payload.empty())) {
    return value_error(ast.protocol, "frames cannot be combined with the payload or other keywords of the protocol");
  }
  if (!body.engines.empty() && !body.payload.empty()) {
    TxEngine e;
    e.kind = EngineKind::kStream;
    e.nodes = body.payload;
    e.dirs[0] = body.dirs[0];
    e.dirs[1] = body.dirs[1];
    body.engines.push_back(e);
  }
  body.conditions = set.keep_array<const Condition*>(std::span<const Condition* const>(conditions));
  body.effects = set.keep_array<const Effect*>(std::span<const Effect* const>(effects));
  choose_type();
  choose_fast_pattern();
  return {};
}

// "http1:request_line": the rule looks at the transaction once it has come that far, whatever else it asks.
Status RuleBuilder::hook() {
  if (ast.hook.empty()) return {};
  const std::string name = to_lower(ast.hook);
  if (body.apps.empty()) {
    if (name == "all" || name == "flow_start" || name == "pre_flow" || name == "pre_stream") {
      if (name == "flow_start") body.flow_start_only = true;
      return {};
    }
    return value_error(ast.hook, fmt::format("unknown hook {}", rules::shown(ast.hook)));
  }
  const bool to_server = name.starts_with("request") || name.starts_with("client"), to_client = name.starts_with("response") || name.starts_with("server");
  if (!to_server && !to_client) return value_error(ast.hook, fmt::format("unknown hook {}", rules::shown(ast.hook)));
  TxEngine e;
  e.kind = EngineKind::kProgress;
  e.complete_only = name.ends_with("complete") || name.ends_with("done");
  return add_engine(e, to_server, to_client, ast.hook);
}

}  // namespace vong::detect
