#include "rules/network/rule_file.h"

#include <fmt/format.h>

#include "rules/network/limits.h"
#include "rules/network/read_file.h"
#include "rules/network/rule_parser.h"
#include "rules/network/text.h"

namespace vong::rules {

// Cuts the text into rules: joins lines that end in a backslash, passes over comments and empty
// lines.
class RuleFileParser {
 public:
  RuleFileParser(RuleFile& file, const ParseOptions& options)
      : file_(file), options_(options), rest_(file.text_) {}

  void run() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    file_.rules_.reserve(rest_.size() / 600);
    while (!rest_.empty()) {
      if (file_.rules_.size() >= kMaxRulesPerFile) {
        file_.diagnostics_.error({line_ + 1, 1},
                                 fmt::format("more than {} rules in a file: the rest "
                                             "is not read",
                                             kMaxRulesPerFile));
        return;
      }
      next_rule();
    }
    file_.rules_.shrink_to_fit();
  }

 private:
  // The next line without its end; a carriage return before the line feed goes too.
  std::string_view next_line() {
    ++line_;
    const size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  void next_rule() {
    const std::string_view line = next_line();
    const std::string_view text = trim(line);
    if (text.empty() || text.front() == ';') return;
    if (text.front() == '#') {
      if (options_.keep_disabled) disabled_rule(line, text);
      return;
    }
    const auto indent = static_cast<size_t>(text.data() - line.data());
    const SourcePos pos{line_, static_cast<uint32_t>(indent + 1)};
    if (text.back() == '\\') return joined_rule(text, pos);
    add(text, pos, {});
  }

  void joined_rule(std::string_view first, SourcePos pos) {
    std::string& whole = file_.joined_.emplace_back(first.substr(0, first.size() - 1));
    auto& starts = file_.line_starts_.emplace_back();
    bool more = true;
    while (more && !rest_.empty()) {
      const std::string_view line = trim_right(next_line());
      more = line.ends_with('\\');
      starts.push_back({static_cast<uint32_t>(whole.size()), {line_, 1}});
      if (whole.size() <= kMaxRuleBytes) whole += line.substr(0, line.size() - (more ? 1 : 0));
    }
    whole.resize(trim_right(whole).size());
    if (more) {
      file_.diagnostics_.warning({line_, 1}, "the file ends in a line that says it is continued");
    }
    add(whole, pos, starts);
  }

  void add(std::string_view text, SourcePos pos, std::span<const LineStart> starts) {
    if (text.size() > kMaxRuleBytes) {
      file_.diagnostics_.error(pos, fmt::format("rule of more than {} bytes", kMaxRuleBytes));
      ++file_.rules_rejected_;
      return;
    }
    Rule rule = make(text, pos, starts);
    if (parse_rule(rule, file_.diagnostics_)) {
      file_.rules_.push_back(std::move(rule));
    } else {
      ++file_.rules_rejected_;
    }
  }

  // A comment that reads as a rule is one that somebody has turned off; any other comment is just
  // that.
  void disabled_rule(std::string_view line, std::string_view text) {
    const std::string_view inner = trim_left(text.substr(
        text.find_first_not_of('#') == std::string_view::npos ? text.size()
                                                              : text.find_first_not_of('#')));
    if (inner.empty() || inner.size() > kMaxRuleBytes || inner.back() != ')') return;
    const auto indent = static_cast<size_t>(inner.data() - line.data());
    Rule rule = make(inner, {line_, static_cast<uint32_t>(indent + 1)}, {});
    rule.enabled = false;
    Diagnostics ignored;
    if (parse_rule(rule, ignored)) file_.rules_.push_back(std::move(rule));
  }

  Rule make(std::string_view text, SourcePos pos, std::span<const LineStart> starts) const {
    Rule rule;
    rule.text = text;
    rule.pos = pos;
    rule.line_starts = starts;
    rule.file = options_.file_index;
    return rule;
  }

  RuleFile& file_;
  const ParseOptions& options_;
  std::string_view rest_;
  uint32_t line_ = 0;
};

std::unique_ptr<RuleFile> RuleFile::parse(std::string name, std::string text,
                                          const ParseOptions& options) {
  std::unique_ptr<RuleFile> file(new RuleFile(std::move(name), std::move(text)));
  RuleFileParser(*file, options).run();
  return file;
}

Result<std::unique_ptr<RuleFile>> RuleFile::load(const std::string& path,
                                                 const ParseOptions& options) {
  Result<std::string> text = read_file(path);
  if (!text) return std::unexpected(std::move(text.error()));
  return parse(path, std::move(*text), options);
}

}  // namespace vong::rules
