// Rule files to one RuleSet: reads, parses, resolves the references between rules. A rule with an error is left out and
// reported; the others load.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "base/strings.h"
#include "rules/sigma/modifiers.h"
#include "rules/sigma/rule.h"
#include "rules/sigma/rule_parser.h"

namespace vong::sigma {

class Loader {
 public:
  explicit Loader(Placeholders placeholders = {}) : placeholders_(std::move(placeholders)) {}

  // What is added from now on is kept as RuleSet::text.
  void keep_text() { keeps_text_ = true; }

  // A file, or a folder with every .yml and .yaml below it (by name, so the order is the same everywhere).
  void add_path(const std::string& path);
  // One file's text; `file` is what diagnostics call it.
  void add_text(const std::string& file, std::string_view text);

  // Resolves references, puts correlations behind what they refer to, and gives the set. Call once, last.
  [[nodiscard]] RuleSet finish();

  // Everything that is wrong, in the order of files.
  [[nodiscard]] const std::vector<rules::Diagnostic>& diagnostics() const { return diagnostics_; }
  [[nodiscard]] size_t errors() const { return errors_; }
  [[nodiscard]] size_t documents() const { return documents_; }

 private:
  void add(const Diagnostics& found);
  void report(const RuleHead& head, SourcePos pos, std::string message);
  [[nodiscard]] bool resolve(CorrelationRule& rule, const std::vector<std::string_view>& known);

  void apply_filters(const std::vector<std::string_view>& known);

  Placeholders placeholders_;
  std::vector<FilterRule> filters_;
  RuleSet rules_;
  std::vector<rules::Diagnostic> diagnostics_;
  size_t errors_ = 0, documents_ = 0;
  bool keeps_text_ = false;
  StringMap<uint32_t> by_name_;  // id and name -> detection index, or kCorrelation | index
};

}  // namespace vong::sigma
