// "Did you mean ...?" for unknown keywords, protocols, buffers and the like.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vong::rules {

// The known name nearest to `word` by edits (insert, delete, replace, swap of neighbours; case and
// '-' '_' '.' count as equal), the first of equals; empty when none is near enough to be meant
// (more than a third of the letters differ).
[[nodiscard]] std::string_view nearest_name(std::string_view word,
                                            std::span<const std::string_view> known);

// ", did you mean 'x'?" or nothing.
[[nodiscard]] std::string suggestion(std::string_view word,
                                     std::span<const std::string_view> known);

// A word from outside as a message may show it: quoted, cut at 64 bytes, control characters as
// \xNN.
[[nodiscard]] std::string shown(std::string_view word);

}  // namespace vong::rules
