// pcre: regular expressions.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

struct Written {
  std::string_view expression, flags, captures;
};

// /expression/flags,flow:name,... with any delimiter after m.
rules::Parsed<Written> take_apart(std::string_view text) {
  char delimiter = '/';
  size_t begin = 1;
  if (text.size() > 2 && text[0] == 'm') {
    delimiter = text[1];
    begin = 2;
  } else if (text.empty() || text[0] != '/') {
    return value_error(text, "expected /expression/flags");
  }
  const size_t end = text.rfind(delimiter);
  if (end == std::string_view::npos || end < begin) return value_error(text, "the expression has no end");
  Written w{text.substr(begin, end - begin), text.substr(end + 1), {}};
  const size_t comma = w.flags.find(',');
  if (comma != std::string_view::npos) {
    w.captures = w.flags.substr(comma + 1);
    w.flags = w.flags.substr(0, comma);
  }
  return w;
}

struct Flags {
  Regex::Options options;
  bool relative = false;
  char buffer = 0;
};

rules::Parsed<Flags> read_flags(std::string_view text, const Catalog& catalog) {
  Flags f;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case 'i': f.options.caseless = true; break;
      case 'm': f.options.multiline = true; break;
      case 's': f.options.dotall = true; break;
      case 'x': f.options.extended = true; break;
      case 'A': f.options.anchored = true; break;
      case 'E': f.options.dollar_endonly = true; break;
      case 'G': f.options.ungreedy = true; break;
      case 'O': f.options.no_limits = true; break;
      case 'R': f.relative = true; break;
      case 'B': break;
      default:
        if (catalog.pcre_flag(text[i]) == nullptr) return value_error(text.substr(i, 1), "unknown flag of a regular expression");
        if (f.buffer != 0 && f.buffer != text[i]) return value_error(text.substr(i, 1), "two buffers in the flags of one expression");
        f.buffer = text[i];
    }
  }
  return f;
}

// Names for captures: groups called flow_x, pkt_x, alert_x, or a list behind the flags.
Status read_captures(std::string_view list, Regex& regex) {
  uint32_t group = 1;
  const auto parts = rules::split_parts(list);
  if (!parts) return std::unexpected(parts.error());
  for (const std::string_view part : *parts) {
    const auto [scope, name] = rules::split_key(part, ":");
    if (name.empty()) return value_error(part, "expected flow:<name>, pkt:<name> or alert:<name>");
    Regex::Scope s = Regex::Scope::kFlow;
    if (scope == "pkt") s = Regex::Scope::kPacket;
    else if (scope == "alert") s = Regex::Scope::kAlert;
    else if (scope != "flow") return value_error(part, "expected flow:<name>, pkt:<name> or alert:<name>");
    regex.captures.push_back({group++, s, std::string(name)});
  }
  if (parts->size() > regex.capture_count()) return value_error(list, "more names than captures");
  for (const auto& [name, number] : regex.named_groups()) {
    if (name.starts_with("flow_")) regex.captures.push_back({number, Regex::Scope::kFlow, name.substr(5)});
    else if (name.starts_with("pkt_")) regex.captures.push_back({number, Regex::Scope::kPacket, name.substr(4)});
    else if (name.starts_with("alert_")) regex.captures.push_back({number, Regex::Scope::kAlert, name.substr(6)});
  }
  if (regex.captures.size() > kMaxPcreCaptures) return value_error(list, "too many captures");
  return {};
}

rules::Parsed<const Regex*> regex_for(RuleBuilder& b, std::string_view value, const Written& w, const Flags& f) {
  const std::string key = fmt::format("{}\x01{}\x01{}", w.expression, w.flags, w.captures);
  if (const auto it = b.env.regex_by_text.find(key); it != b.env.regex_by_text.end()) return it->second;
  auto made = Regex::compile(w.expression, f.options, b.env.regex_limits);
  if (!made) return value_error(value, made.error().message);
  if (auto s = read_captures(w.captures, **made); !s) return std::unexpected(s.error());
  b.set.regexes.push_back(std::move(*made));
  b.env.regex_by_text.emplace(key, b.set.regexes.back().get());
  return b.set.regexes.back().get();
}

Status setup_pcre(RuleBuilder& b, const rules::Option& o) {
  const auto text = rules::unquote(o.value, rules::Quotes::kOptional, true);
  if (!text) return std::unexpected(text.error());
  const auto w = take_apart(text->text);
  if (!w) return std::unexpected(w.error());
  const auto f = read_flags(w->flags, b.env.catalog);
  if (!f) return std::unexpected(f.error());
  const auto regex = regex_for(b, o.value, *w, *f);
  if (!regex) return std::unexpected(regex.error());
  Node node;
  node.kind = NodeKind::kPcre;
  node.pcre = PcreNode{*regex, text->negated, f->relative, false};
  if (f->buffer == 0) return b.add_node(node, o.value);
  const BufferName* buffer = b.env.catalog.pcre_flag(f->buffer);
  if (b.has_sticky()) return b.add_node(node, o.value);   // the sticky buffer in force wins over the flag
  return b.add_node_to(b.list_for(buffer, {}, false), node, o.value);
}

constexpr Keyword kKeywords[] = {
    {"pcre", "", KeywordKind::kContent, ValueUse::kRequired, setup_pcre, nullptr, 0, "[!]\"/<expression>/<flags>[,flow:<name>|pkt:<name>]\"",
     "A Perl-compatible regular expression; captures can become variables."},
};

}  // namespace

std::span<const Keyword> pcre_keywords() { return kKeywords; }

}  // namespace vong::detect
