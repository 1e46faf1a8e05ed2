// What stands right before and behind a phrase, in code units of its encoding: is it part of a word, does the line end there.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "rules/vietnamese/encodings.h"

namespace vong::vietnamese {

// A character, or nothing at the edge of the data. UTF-8 characters that are cut or wrong read as U+FFFD.
using Neighbour = std::optional<char32_t>;
[[nodiscard]] Neighbour before(Encoding e, Bytes data, size_t at);
[[nodiscard]] Neighbour behind(Encoding e, Bytes data, size_t at);
[[nodiscard]] bool is_word(Encoding e, Neighbour c);
// A mark that would make another letter of the one before it: the phrase's last letter is then another one.
[[nodiscard]] bool extends_letter(Encoding e, Neighbour c);

// Only spaces and ornaments until the line (or the data, or a NUL or a tag) ends. Looks at 64 characters at most: a line that goes on is not
// at its end.
[[nodiscard]] bool line_ends_before(Encoding e, Bytes data, size_t at);
[[nodiscard]] bool line_ends_behind(Encoding e, Bytes data, size_t at);

// One character of UTF-8 at text[i] and where the next begins; nothing when it is none (RFC 3629: no surrogates, shortest form).
[[nodiscard]] std::optional<std::pair<char32_t, size_t>> decode_utf8(std::string_view text, size_t i);

}  // namespace vong::vietnamese
