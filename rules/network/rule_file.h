// A rule file: its text and the rules in it. One bad rule is a diagnostic and is left out; it never
// takes the file down. A RuleFile never changes after parsing; any number of threads may read it.
// It cannot be copied or moved: rules point into it (hold it by unique_ptr or shared_ptr).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/network/diagnostic.h"
#include "rules/network/logical_lines.h"
#include "rules/network/rule.h"

namespace vong::rules {

struct ParseOptions {
  uint32_t file_index = 0;  // becomes Rule::file
  bool keep_disabled =
      false;  // also keep rules that are commented out (enabled = false); their errors are not told
};

class RuleFile {
 public:
  // Reads and parses; an error only when the file cannot be read (missing, too large, a directory).
  [[nodiscard]] static Result<std::unique_ptr<RuleFile>> load(const std::string& path,
                                                              const ParseOptions& options = {});
  // `name` stands in the diagnostics.
  [[nodiscard]] static std::unique_ptr<RuleFile> parse(std::string name, std::string text,
                                                       const ParseOptions& options = {});

  RuleFile(const RuleFile&) = delete;
  RuleFile& operator=(const RuleFile&) = delete;

  [[nodiscard]] const std::string& name() const { return diagnostics_.file(); }
  [[nodiscard]] const std::string& text() const { return text_; }          // as read
  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }  // by line
  [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }
  // Rules that were written but did not parse.
  [[nodiscard]] uint64_t rules_rejected() const { return rules_rejected_; }

 private:
  friend class RuleFileParser;
  RuleFile(std::string name, std::string text)
      : text_(std::move(text)), diagnostics_(std::move(name)) {}

  std::string text_;
  JoinedLines joined_;  // rules that were written over several lines
  std::vector<Rule> rules_;
  Diagnostics diagnostics_;
  uint64_t rules_rejected_ = 0;
};

}  // namespace vong::rules
