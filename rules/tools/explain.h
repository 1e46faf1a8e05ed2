// One rule in plain words: what traffic it looks at, what must be true, what it does, how often.
#pragma once

#include <string>

#include "rules/network/class_config.h"
#include "rules/network/rule.h"
#include "rules/tools/vocabulary.h"

namespace vong::rules_tools {

struct ExplainContext {
  Language language = Language::kEnglish;
  std::string_view file;                                 // name shown, may be empty
  const rules::ClassificationConfig* classes = nullptr;  // null: classtypes are shown by name
  const rules::ReferenceConfig* references = nullptr;    // null: references are shown as written
};

// Several lines, each with a newline. Never fails: what it does not understand it shows as written.
[[nodiscard]] std::string explain(const rules::Rule& rule, const ExplainContext& context);

}  // namespace vong::rules_tools
