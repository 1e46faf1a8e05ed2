// What a buffer's own form says about contents that are searched in it: some can never match (an upper-case letter in a host name that
// is kept in lower case), which a rule's author should hear of; some are only spelled otherwise.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vong::detect {

struct ContentForm {
  std::optional<std::string> bytes;  // as the buffer spells it; nothing: as it is
  std::string_view never;            // why it cannot match; empty: it can
};

// `buffer`: its name in rules, without transforms.
[[nodiscard]] ContentForm content_in(std::string_view buffer, std::string_view bytes, bool nocase);

}  // namespace vong::detect
