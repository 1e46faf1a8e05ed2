#include "rules/tools/format.h"

#include <string_view>

#include "rules/network/text.h"

namespace vong::rules_tools {
namespace {

constexpr std::string_view scope_name(rules::ActionScope scope) {
  switch (scope) {
    case rules::ActionScope::kDefault:
      return "";
    case rules::ActionScope::kPacket:
      return ":packet";
    case rules::ActionScope::kFlow:
      return ":flow";
    case rules::ActionScope::kTx:
      return ":tx";
    case rules::ActionScope::kHook:
      return ":hook";
  }
  return "";
}

// An address or port list without spaces.
std::string compact(std::string_view list) {
  std::string result;
  for (const char c : list) {
    if (!rules::is_space(c)) result += c;
  }
  return result;
}

}  // namespace

std::string format_rule(const rules::Rule& rule) {
  std::string out(rules::action_name(rule.action));
  out += scope_name(rule.scope);
  out += ' ';
  out += rule.protocol;
  if (!rule.hook.empty()) out.append(":").append(rule.hook);
  out.append(" ").append(compact(rule.src)).append(" ").append(compact(rule.src_port));
  out.append(" ").append(rules::direction_text(rule.direction));
  out.append(" ").append(compact(rule.dst)).append(" ").append(compact(rule.dst_port)).append(" (");
  for (size_t i = 0; i < rule.options.size(); ++i) {
    const rules::Option& option = rule.options[i];
    if (i > 0) out += ' ';
    out += option.name;
    if (option.has_value) out.append(":").append(option.value);
    out += ';';
  }
  return out + ")";
}

std::string format_file(const rules::RuleFile& file) {
  std::string out;
  std::string_view rest = file.text();
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  size_t next_rule = 0;
  uint32_t rule_ends = 0;  // last line of the rule that was written last
  for (uint32_t line_number = 1; !rest.empty(); ++line_number) {
    const size_t end = rest.find('\n');
    const std::string_view line = rules::trim_right(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line_number <= rule_ends) continue;
    const auto& all = file.rules();
    if (next_rule < all.size() && all[next_rule].pos.line == line_number) {
      const rules::Rule& rule = all[next_rule++];
      rule_ends = rule.line_starts.empty() ? line_number : rule.line_starts.back().pos.line;
      out.append(rule.enabled ? "" : "# ").append(format_rule(rule)).append("\n");
    } else {
      out.append(line).append("\n");
    }
  }
  return out;
}

}  // namespace vong::rules_tools
