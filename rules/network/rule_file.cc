#include "rules/network/rule_file.h"

#include <fmt/format.h>

#include "rules/network/limits.h"
#include "rules/network/read_file.h"
#include "rules/network/rule_parser.h"

namespace vong::rules {

// Rules of a file, one logical line each.
class RuleFileParser {
 public:
  RuleFileParser(RuleFile& file, const ParseOptions& options) : file_(file), options_(options) {}

  void run() {
    LogicalLineReader lines(file_.text_, file_.joined_, options_.keep_disabled);
    file_.rules_.reserve(file_.text_.size() / kTypicalRuleBytes);
    while (const auto line = lines.next()) {
      if (file_.rules_.size() >= kMaxRulesPerFile) {
        file_.diagnostics_.error(
            line->pos,
            fmt::format("more than {} rules in a file: the rest is not read", kMaxRulesPerFile));
        return;
      }
      if (line->is_comment) {
        disabled_rule(*line);
      } else {
        rule(*line);
      }
    }
    file_.rules_.shrink_to_fit();
  }

 private:
  static constexpr size_t kTypicalRuleBytes = 600;

  void rule(const LogicalLine& line) {
    if (line.cut_by_end) {
      file_.diagnostics_.warning(line.pos, "the file ends in a line that says it is continued");
    }
    if (line.text.size() > kMaxRuleBytes) {
      file_.diagnostics_.error(line.pos, fmt::format("rule of more than {} bytes", kMaxRuleBytes));
      ++file_.rules_rejected_;
      return;
    }
    Rule parsed = make(line);
    if (parse_rule(parsed, file_.diagnostics_)) {
      file_.rules_.push_back(std::move(parsed));
    } else {
      ++file_.rules_rejected_;
    }
  }

  // A comment that reads as a rule is one that somebody has turned off; any other comment is just
  // that.
  void disabled_rule(const LogicalLine& line) {
    if (line.text.size() > kMaxRuleBytes || !line.text.ends_with(')')) return;
    Rule parsed = make(line);
    parsed.enabled = false;
    Diagnostics ignored;
    if (parse_rule(parsed, ignored)) file_.rules_.push_back(std::move(parsed));
  }

  [[nodiscard]] Rule make(const LogicalLine& line) const {
    Rule result;
    result.text = line.text;
    result.pos = line.pos;
    result.line_starts = line.line_starts;
    result.file = options_.file_index;
    return result;
  }

  RuleFile& file_;
  const ParseOptions& options_;
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
