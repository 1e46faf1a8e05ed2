#include "sensor/detect/rule_analysis.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "sensor/detect/compiled_rule.h"
#include "sensor/detect/rule_set_impl.h"
#include "sensor/detect/tenants.h"

namespace vong::detect {
namespace {

std::string_view type_text(RuleType type) {
  switch (type) {
    case RuleType::kIpOnly: return "Rule is asked once for each direction of a flow: it has addresses alone.";
    case RuleType::kEventsOnly: return "Rule is asked for packets with events.";
    case RuleType::kPacket: return "Rule is asked for packets.";
    case RuleType::kStream: return "Rule is asked for the stream, and for packets outside streams.";
    case RuleType::kProtocolOnly: return "Rule is asked once for each direction, when protocol detection is done.";
    case RuleType::kTransaction: return "Rule is asked for transactions.";
    case RuleType::kFrame: return "Rule is asked for frames.";
  }
  return "";
}

struct Counts {
  size_t contents = 0, expressions = 0, others = 0;
  void add(std::span<const Node> nodes) {
    for (const Node& n : nodes) ++(n.kind == NodeKind::kContent ? contents : n.kind == NodeKind::kPcre ? expressions : others);
  }
};

// As rules write it: printable characters, |XX| for the others.
std::string pattern_text(const ContentNode& c, size_t from, size_t count) {
  std::string out;
  for (size_t i = from; i < from + count && i < c.length; ++i) {
    const uint8_t b = c.bytes[i];
    if (b >= 0x20 && b < 0x7f && b != '|' && b != '"' && b != ';' && b != '\\') out.push_back(static_cast<char>(b));
    else fmt::format_to(std::back_inserter(out), "|{:02X}|", b);
  }
  return out;
}

std::string final_pattern(const ContentNode& c) { return c.chop_length == 0 ? pattern_text(c, 0, c.length) : pattern_text(c, c.chop_offset, c.chop_length); }

std::string_view fast_buffer(const RuleBody& b) { return b.fast_use != nullptr ? std::string_view(b.fast_use->label) : b.needs_packet ? "payload" : "payload, stream"; }

std::vector<std::string> buffers_of(const RuleBody& b) {
  std::vector<std::string> out;
  const auto add = [&](const BufferUse* use) {
    if (use != nullptr && std::find(out.begin(), out.end(), use->label) == out.end()) out.push_back(use->label);
  };
  for (const auto& check : b.packet_buffers) add(check.use);
  for (const auto& check : b.frames) add(check.use);
  for (const auto& engine : b.engines) add(engine.use);
  return out;
}

Counts counts_of(const RuleBody& b) {
  Counts counts;
  counts.add(b.payload);
  for (const auto& check : b.packet_buffers) counts.add(check.nodes);
  for (const auto& check : b.frames) counts.add(check.nodes);
  for (const auto& engine : b.engines) counts.add(engine.nodes);
  return counts;
}

void add_title(std::string& out, const CompiledRule& rule) { fmt::format_to(std::back_inserter(out), "== Sid: {} ==\n{}\n", rule.sid, rule.text); }

void analyse(const CompiledRule& rule, std::string& out) {
  const RuleBody& b = *rule.body;
  const auto line = [&](std::string_view text) { out.append("    ").append(text).push_back('\n'); };
  add_title(out, rule);
  line(type_text(b.type));
  if (b.dirs[0] != b.dirs[1]) line(b.dirs[0] ? "Rule matches on packets to the server alone." : "Rule matches on packets to the client alone.");
  if (!b.apps.empty()) {
    std::vector<std::string_view> names;
    for (const AppProto app : b.apps) names.push_back(applayer::name_of(app));
    line(fmt::format("App layer protocol is {}.", fmt::join(names, " or ")));
  }
  if (!b.payload.empty()) line(b.needs_packet ? "Rule looks into packets' payload." : "Rule looks into the payload, reassembled where it is TCP.");
  for (const std::string& buffer : buffers_of(b)) line(fmt::format("Rule looks into the buffer {}.", buffer));
  const Counts counts = counts_of(b);
  line(fmt::format("Rule contains {} content options, {} pcre options, {} other options on buffers, and {} tests on packet and flow.", counts.contents, counts.expressions,
                   counts.others, b.conditions.size()));
  if (b.has_fast_pattern && b.fast != nullptr) line(fmt::format("Fast Pattern \"{}\" on \"{}\".", final_pattern(*b.fast), fast_buffer(b)));
  std::vector<std::string_view> warnings;
  const bool searched = b.type == RuleType::kPacket || b.type == RuleType::kStream || b.type == RuleType::kTransaction;
  if (searched && !b.has_fast_pattern) warnings.push_back("Warning: no content to search for: the rule is tried on everything that its header and protocol fit.");
  if (counts.expressions > 0 && !b.has_fast_pattern) warnings.push_back("Warning: a regular expression without a content beside it is run on all of that.");
  if (b.has_fast_pattern && b.fast != nullptr && b.fast->length < 4) warnings.push_back("Warning: the fast pattern is shorter than four bytes: it is found often.");
  for (const auto warning : warnings) line(warning);
  if (warnings.empty()) line("No warnings for this rule.");
  out.push_back('\n');
}

void analyse_fast_pattern(const CompiledRule& rule, std::string& out) {
  const RuleBody& b = *rule.body;
  add_title(out, rule);
  const auto yes = [](bool value) { return value ? "yes" : "no"; };
  if (!b.has_fast_pattern || b.fast == nullptr) {
    out += "    No fast pattern present\n\n";
    return;
  }
  const ContentNode& c = *b.fast;
  fmt::format_to(std::back_inserter(out),
                 "    Fast Pattern analysis:\n        Fast pattern matcher: {}\n        Flags:{}{}{}{}\n        Fast pattern set: {}\n        Fast pattern only set: {}\n"
                 "        Fast pattern chop set: {}\n        Original content: {}\n        Final content: {}\n\n",
                 fast_buffer(b), c.has_offset ? " Offset" : "", c.has_depth ? " Depth" : "", c.has_within ? " Within" : "", c.has_distance ? " Distance" : "", yes(c.fast_pattern),
                 yes(c.fast_pattern_only), yes(c.chop_length != 0), pattern_text(c, 0, c.length), final_pattern(c));
}

void add_set(const RuleSet& rules, const std::function<void(const CompiledRule&, std::string&)>& tell, std::string& out) {
  std::vector<const CompiledRule*> all;
  for (size_t i = 0; i < rules.size(); ++i) all.push_back(&rules.rule(i));
  std::stable_sort(all.begin(), all.end(), [](const CompiledRule* a, const CompiledRule* b) { return a->body->load_order < b->body->load_order; });
  for (const CompiledRule* rule : all) tell(*rule, out);
}

std::string tell_all(const RuleSet& rules, const std::function<void(const CompiledRule&, std::string&)>& tell) {
  std::string out;
  add_set(rules, tell, out);
  if (rules.tenants() == nullptr) return out;
  for (const auto& one : rules.tenants()->all) {
    fmt::format_to(std::back_inserter(out), "#### Tenant {} ####\n\n", one.id);
    add_set(*one.rules, tell, out);
  }
  return out;
}

}  // namespace

std::string rule_analysis(const RuleSet& rules) { return tell_all(rules, analyse); }
std::string fast_pattern_analysis(const RuleSet& rules) { return tell_all(rules, analyse_fast_pattern); }

}  // namespace vong::detect
