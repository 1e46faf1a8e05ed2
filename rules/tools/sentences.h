// The sentences of `explain`: one option's meaning as a phrase, in either language.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "rules/network/rule.h"
#include "rules/tools/vocabulary.h"

namespace vong::rules_tools {

// fmt::format with the format of the language: say(lang, {"at least {} bytes", "ít nhất {} byte"},
// n).
template <typename... Args>
[[nodiscard]] std::string say(Language language, const Phrase& phrase, const Args&... args) {
  return fmt::format(fmt::runtime(phrase.in(language)), args...);
}

// A content or pcre with what stands behind it.
struct Search {
  const rules::Option* option = nullptr;
  std::vector<const rules::Option*> modifiers;
};
[[nodiscard]] std::string search_sentence(const Search& search, Language language);

// What an option asks of the traffic; empty when it asks nothing.
[[nodiscard]] std::string condition_sentence(const rules::Option& option, Language language);
// What an option does when the rule has matched (threshold, tag, setting marks); empty when
// nothing.
[[nodiscard]] std::string effect_sentence(const rules::Option& option, Language language);

// Bytes for people: printable text in quotes, the rest as \xNN.
[[nodiscard]] std::string shown_bytes(std::string_view bytes);
// The text of a quoted value without quotes and escapes; as written when it is not quoted.
[[nodiscard]] std::string plain_text(std::string_view value);

}  // namespace vong::rules_tools
