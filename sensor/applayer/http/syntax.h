// Character classes and small grammars of HTTP/1 (RFC 9110 5.6, RFC 9112), as lenient as the
// reference. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sensor/applayer/http/content_range.h"
#include "sensor/applayer/http/message.h"

namespace vong::http {

[[nodiscard]] constexpr bool is_http_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
[[nodiscard]] constexpr bool is_lws(char c) { return c == ' ' || c == '\t'; }
[[nodiscard]] constexpr bool is_folding(char c) { return is_lws(c) || c == '\0'; }
[[nodiscard]] bool is_token_char(char c);

// Without LF, CRLF, CR at the end.
[[nodiscard]] std::string_view chomp(std::string_view line);

[[nodiscard]] Method method_of(std::string_view text);
// One of the names that requests begin with (RFC 9110, WebDAV ...).
[[nodiscard]] bool is_known_method(std::string_view text);
[[nodiscard]] Protocol protocol_of(std::string_view text);
// 100..999, else -1.
[[nodiscard]] int status_of(std::string_view text);

// True for what browsers show as a body when it comes where a status line is due: anything that
// does not begin with HTTP.
[[nodiscard]] bool looks_like_body(std::string_view line);

struct ContentLength {
  int64_t value = -1;  // -1: no number in it
  bool junk_before = false, junk_behind = false;
};
[[nodiscard]] ContentLength parse_content_length(std::string_view text);

struct ChunkLength {
  enum class Kind : uint8_t { kSize, kEmptyLine, kInvalid };
  Kind kind = Kind::kInvalid;
  uint64_t size = 0;
  bool extension = false;
};
[[nodiscard]] ChunkLength parse_chunk_length(std::string_view line);
// True while `begin` (of a chunk's first line) can still become a size.
[[nodiscard]] bool can_be_chunk_length(std::string_view begin);
[[nodiscard]] constexpr bool is_chunk_control(char c) {
  return c == '\r' || c == '\n' || c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

// Case-insensitive comparison that skips NUL bytes in `text`.
[[nodiscard]] bool equals_ignoring_nul(std::string_view text, std::string_view lower);
[[nodiscard]] bool contains_ignoring_nul(std::string_view text, std::string_view lower);
[[nodiscard]] bool contains_ignore_case(std::string_view text, std::string_view lower);

// "filename=" of a Content-Disposition value; without quotes.
[[nodiscard]] std::optional<std::string_view> disposition_parameter(std::string_view value,
                                                                    std::string_view name);

}  // namespace vong::http
