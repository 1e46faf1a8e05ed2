#include "rules/sigma/rule_head.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "rules/network/nearest_name.h"
#include "rules/sigma/rule_parser.h"

namespace vong::sigma {
namespace {

constexpr std::string_view kTopKeys[] = {
    "title",     "id",        "name",        "description", "author",     "status",
    "level",     "tags",      "date",        "modified",    "references", "falsepositives",
    "logsource", "detection", "correlation", "fields",      "related",    "taxonomy",
    "license",   "scope",     "filter",      "vong",        "generate",    "version"};
constexpr std::string_view kLevels[] = {"informational", "low", "medium", "high", "critical"};
constexpr std::string_view kStatuses[] = {"stable", "test", "experimental", "deprecated",
                                          "unsupported"};
constexpr std::string_view kScopes[] = {"agency", "national"};
constexpr std::string_view kAfterMatch[] = {"grow", "restart", "silent"};
constexpr std::string_view kVongKeys[] = {"scope", "after_match", "silent_for", "close_after",
                                          "group_by", "learn", "reopen_within", "risk"};

template <size_t N>
int index_of(const std::string_view (&names)[N], std::string_view word) {
  const auto* it = std::find(std::begin(names), std::end(names), word);
  return it == std::end(names) ? -1 : static_cast<int>(it - std::begin(names));
}

// One word out of a list; false after an error.
template <size_t N>
bool read_choice(const YamlNode& node, std::string_view what, const std::string_view (&names)[N],
                 Diagnostics& diagnostics, int& out) {
  std::string word;
  if (!read_text(node, what, diagnostics, word)) return false;
  out = index_of(names, word);
  if (out >= 0) return true;
  diagnostics.error(node.pos, "unknown " + std::string(what) + " " + rules::shown(word) +
                                  rules::suggestion(word, names));
  return false;
}

bool read_duration(const YamlNode& node, std::string_view what, Diagnostics& diagnostics,
                   Duration& out) {
  std::string text;
  if (!read_text(node, what, diagnostics, text)) return false;
  const auto d = parse_timespan(text);
  if (!d) {
    diagnostics.error(node.pos, std::string(what) + " " + rules::shown(text) +
                                    " is not a timespan such as 30s, 5m, 1h or 7d");
    return false;
  }
  out = *d;
  return true;
}

bool read_risk(const YamlNode& node, Diagnostics& diagnostics, std::optional<double>& out) {
  double risk = 0;
  const std::string_view text = node.is_scalar() ? std::string_view(node.text) : "";
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), risk);
  if (fault != std::errc() || end != text.data() + text.size() || !(risk >= 0) ||
      risk > kRiskMax) {
    diagnostics.error(node.pos, "risk must be a number from 0 to 1000000");
    return false;
  }
  out = risk;
  return true;
}

bool parse_extension(const YamlNode& node, Diagnostics& diagnostics, Extension& out) {
  if (!node.is_map()) {
    diagnostics.error(node.pos, "vong must be a map");
    return false;
  }
  bool ok = check_keys(node, kVongKeys, "vong", diagnostics);
  for (const YamlEntry& e : node.entries) {
    int choice = 0;
    if (e.key == "scope") {
      ok &= read_choice(e.value, "scope", kScopes, diagnostics, choice);
      out.scope = static_cast<Scope>(std::max(choice, 0));
    } else if (e.key == "after_match") {
      ok &= read_choice(e.value, "after_match", kAfterMatch, diagnostics, choice);
      out.after_match = static_cast<AfterMatch>(std::max(choice, 0));
    } else if (e.key == "silent_for") {
      ok &= read_duration(e.value, "silent_for", diagnostics, out.silent_for);
    } else if (e.key == "close_after") {
      ok &= read_duration(e.value, "close_after", diagnostics, out.close_after);
    } else if (e.key == "reopen_within") {
      if (e.value.is_scalar() && e.value.text == "0")
        out.reopen_within = Duration(0);
      else
        ok &= read_duration(e.value, "reopen_within", diagnostics, out.reopen_within);
    } else if (e.key == "learn") {
      out.learn.emplace();
      ok &= read_duration(e.value, "learn", diagnostics, *out.learn);
    } else if (e.key == "group_by") {
      ok &= read_texts(e.value, "group_by", diagnostics, out.group_by);
    } else if (e.key == "risk") {
      ok &= read_risk(e.value, diagnostics, out.risk);
    }
  }
  if (out.after_match == AfterMatch::kSilent && out.silent_for <= Duration(0)) {
    diagnostics.error(node.pos, "after_match: silent needs silent_for");
    return false;
  }
  if (out.silent_for > Duration(0) && out.after_match != AfterMatch::kSilent) {
    diagnostics.error(node.pos, "silent_for needs after_match: silent");
    return false;
  }
  return ok;
}

void warn_about_slips(const YamlNode& document, Diagnostics& diagnostics) {
  for (const YamlEntry& e : document.entries) {
    if (index_of(kTopKeys, e.key) >= 0) continue;
    if (const std::string hint = rules::suggestion(e.key, kTopKeys); !hint.empty()) {
      diagnostics.warning(e.pos, "unknown key " + rules::shown(e.key) + hint);
    }
  }
}

}  // namespace

bool read_text(const YamlNode& node, std::string_view what, Diagnostics& diagnostics,
               std::string& out) {
  if (!node.is_scalar()) {
    diagnostics.error(node.pos, std::string(what) + " must be a text");
    return false;
  }
  if (node.text.size() > 65'536) {
    diagnostics.error(node.pos, std::string(what) + " is too long (limit 64 KiB)");
    return false;
  }
  out = node.text;
  return true;
}

bool read_texts(const YamlNode& node, std::string_view what, Diagnostics& diagnostics,
                std::vector<std::string>& out) {
  if (node.is_null()) return true;
  if (!node.is_list()) {
    out.emplace_back();
    return read_text(node, what, diagnostics, out.back());
  }
  for (const YamlNode& item : node.items) {
    out.emplace_back();
    if (!read_text(item, what, diagnostics, out.back())) return false;
  }
  return true;
}

bool check_keys(const YamlNode& map, std::span<const std::string_view> known, std::string_view what,
                Diagnostics& diagnostics) {
  bool ok = true;
  for (const YamlEntry& e : map.entries) {
    if (std::find(known.begin(), known.end(), e.key) != known.end()) continue;
    diagnostics.error(e.pos, "unknown key " + rules::shown(e.key) + " in " + std::string(what) +
                                 rules::suggestion(e.key, known));
    ok = false;
  }
  return ok;
}

bool parse_head(const YamlNode& document, Diagnostics& diagnostics, RuleHead& out) {
  bool ok = true;
  out.file = diagnostics.file();
  out.pos = document.pos;
  for (const YamlEntry& e : document.entries) {
    int choice = 0;
    if (e.key == "title")
      ok &= read_text(e.value, "title", diagnostics, out.title);
    else if (e.key == "id")
      ok &= read_text(e.value, "id", diagnostics, out.id);
    else if (e.key == "name")
      ok &= read_text(e.value, "name", diagnostics, out.name);
    else if (e.key == "description" && !e.value.is_null())
      ok &= read_text(e.value, "description", diagnostics, out.description);
    else if (e.key == "author" && e.value.is_scalar())
      out.author = e.value.text;
    else if (e.key == "tags")
      ok &= read_texts(e.value, "tags", diagnostics, out.tags);
    else if (e.key == "references")
      ok &= read_texts(e.value, "references", diagnostics, out.references);
    else if (e.key == "falsepositives")
      ok &= read_texts(e.value, "falsepositives", diagnostics, out.false_positives);
    else if (e.key == "vong")
      ok &= parse_extension(e.value, diagnostics, out.extension);
    else if (e.key == "status") {
      ok &= read_choice(e.value, "status", kStatuses, diagnostics, choice);
      out.status = e.value.text;
    } else if (e.key == "level") {
      ok &= read_choice(e.value, "level", kLevels, diagnostics, choice);
      out.level = static_cast<Level>(std::max(choice, 0));
    }
  }
  if (out.title.empty() && ok) {
    diagnostics.error(document.pos, "a rule needs a title");
    ok = false;
  }
  warn_about_slips(document, diagnostics);
  return ok;
}

}  // namespace vong::sigma
