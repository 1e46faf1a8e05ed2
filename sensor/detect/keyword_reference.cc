#include "sensor/detect/keyword_reference.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

#include "fmt/format.h"
#include "sensor/detect/keyword.h"
#include "sensor/detect/transform.h"

namespace vong::detect {
namespace {

struct Section {
  KeywordKind kind;
  std::string_view title, intro;
};
constexpr Section kSections[] = {
    {KeywordKind::kMeta, "About the rule", "They change nothing of what matches."},
    {KeywordKind::kContent, "Contents", "They look into the payload, or into the sticky buffer named before them."},
    {KeywordKind::kModifier, "Modifiers", "They belong to the content before them."},
    {KeywordKind::kBuffer, "Buffers of the engine", "Those of protocols stand below."},
    {KeywordKind::kPacket, "Packets", "Fields of headers and what the decoder noticed."},
    {KeywordKind::kFlow, "Flows", "State of the flow, and what rules keep with it."},
    {KeywordKind::kApp, "Application protocols", "Keywords that all protocols share."},
    {KeywordKind::kFile, "Files", "Files carried by protocols. All file keywords of a rule must fit the same file."},
    {KeywordKind::kThreshold, "Thresholds", "How often a match raises an alert."},
    {KeywordKind::kEffect, "Effects", "What a rule does besides raising an alert."},
    {KeywordKind::kTransform, "Transforms", "Between a sticky buffer and its contents; each works on the result of the one before it."},
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

void row(std::string& out, std::string_view name, std::string_view alias, std::string_view syntax, std::string_view help) {
  out += fmt::format("| `{}`{} | {} | {} |\n", name, alias.empty() ? "" : fmt::format(", `{}`", alias),
                     syntax.empty() ? "" : fmt::format("`{}`", escaped(syntax)), escaped(help));
}

std::string_view directions(uint8_t to_server, uint8_t to_client) {
  constexpr uint8_t kNo = applayer::BufferDef::kNotHere;
  if (to_server != kNo && to_client != kNo) return "both directions";
  return to_server != kNo ? "to server" : "to client";
}

void protocol_section(std::string& out, const applayer::ProtocolDef& p) {
  if (p.buffers.empty() && p.numbers.empty() && p.matchers.empty() && p.events.empty()) return;
  out += fmt::format("\n## Protocol {}\n\n", p.name);
  if (!p.buffers.empty() || !p.numbers.empty() || !p.matchers.empty()) out += "| keyword | value | what |\n| --- | --- | --- |\n";
  for (const auto& b : p.buffers) {
    std::string help = fmt::format("Sticky buffer, {}{}. {}", directions(b.to_server_progress, b.to_client_progress),
                                   b.multi ? ", several instances" : "", b.help);
    if (!b.modifier.empty()) help += fmt::format(" As a modifier: `{}`.", b.modifier);
    row(out, b.name, b.alias, "", help);
  }
  for (const auto& n : p.numbers) row(out, n.name, n.alias, "<number test>", fmt::format("Number, {}. {}", directions(n.to_server_progress, n.to_client_progress), n.help));
  for (const auto& m : p.matchers) row(out, m.name, m.alias, "", fmt::format("{}", m.help));
  if (p.events.empty()) return;
  out += fmt::format("\n`app-layer-event:{}.<event>` with: ", p.name);
  for (size_t i = 0; i < p.events.size(); ++i) out += fmt::format("{}`{}`", i == 0 ? "" : ", ", p.events[i].rule_name);
  out += ".\n";
}

std::set<std::string_view> all_names(const Catalog& catalog) {
  std::set<std::string_view> names(catalog.names().begin(), catalog.names().end());
  for (const Keyword* k : keywords()) {
    if (k->flags & Keyword::kUnsupported) continue;
    names.insert(k->name);
    if (!k->alias.empty()) names.insert(k->alias);
  }
  for (const TransformDef& t : transforms()) names.insert(t.name);
  return names;
}

}  // namespace

size_t keyword_count(const Catalog& catalog) { return all_names(catalog).size(); }

std::string keyword_table(std::string_view only, const Catalog& catalog) {
  std::map<std::string_view, std::string> rows;
  const auto add = [&](std::string_view name, std::string_view alias, std::string_view help, std::string_view syntax) {
    for (const std::string_view each : {name, alias}) {
      if (!each.empty() && (only.empty() || only == each)) rows.emplace(each, fmt::format("{};{};{}\n", each, help, syntax));
    }
  };
  for (const Keyword* k : keywords()) {
    if ((k->flags & Keyword::kUnsupported) == 0) add(k->name, k->alias, k->help, k->syntax);
  }
  for (const TransformDef& t : transforms()) add(t.name, {}, t.help, t.syntax);
  for (const PacketBufferDef& b : packet_buffers()) add(b.name, b.alias, b.help, {});
  for (const applayer::ProtocolDef* p : catalog.protocols()) {
    for (const auto& b : p->buffers) {
      add(b.name, b.alias, b.help, {});
      add(b.modifier, {}, b.help, {});
    }
    for (const auto& n : p->numbers) add(n.name, n.alias, n.help, "<number test>");
    for (const auto& m : p->matchers) add(m.name, m.alias, m.help, {});
  }
  for (const std::string_view name : all_names(catalog)) add(name, {}, {}, {});   // what no table tells of
  std::string out;
  for (const auto& [name, row] : rows) out += row;
  return out;
}

std::string keyword_list(const Catalog& catalog) {
  std::string out;
  for (const std::string_view name : all_names(catalog)) out += fmt::format("- {}\n", name);
  return out;
}

std::string keyword_reference_markdown(const Catalog& catalog) {
  std::string out =
      "# Rule keywords\n\nGenerated from the tables in the sources; the test `KeywordReference` holds this page against them. The language is that of "
      "Suricata 8.\nNumber tests: `10`, `=10`, `!10`, `<10`, `<=10`, `>10`, `>=10`, `1-10` and `1<>10` (both ends outside), `&0xf0=0x80`.\n";
  for (const Section& s : kSections) {
    out += fmt::format("\n## {}\n\n{}\n\n| keyword | value | what |\n| --- | --- | --- |\n", s.title, s.intro);
    for (const Keyword* k : keywords()) {
      if (k->kind != s.kind) continue;
      row(out, k->name, k->alias, k->syntax, k->flags & Keyword::kUnsupported ? fmt::format("Refused: {}.", k->help) : std::string(k->help));
    }
    if (s.kind == KeywordKind::kTransform) {
      for (const TransformDef& t : transforms()) row(out, t.name, "", t.syntax, t.help);
    }
    if (s.kind == KeywordKind::kBuffer) {
      for (const PacketBufferDef& b : packet_buffers()) row(out, b.name, b.alias, "", fmt::format("Sticky buffer: {}.", b.help));
    }
  }
  for (const applayer::ProtocolDef* p : catalog.protocols()) protocol_section(out, *p);
  return out;
}

}  // namespace vong::detect
