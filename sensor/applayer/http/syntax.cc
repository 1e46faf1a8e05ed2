#include "sensor/applayer/http/syntax.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"

namespace vong::http {
namespace {

constexpr auto kMethods = std::to_array<std::string_view>({
    "GET",
    "PUT",
    "POST",
    "HEAD",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "VERSION-CONTROL",
    "CHECKOUT",
    "UNCHECKOUT",
    "CHECKIN",
    "UPDATE",
    "LABEL",
    "REPORT",
    "MKWORKSPACE",
    "MKACTIVITY",
    "BASELINE-CONTROL",
    "MERGE",
    "INVALID",
});

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::optional<int64_t> decimal(std::string_view text) {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace

bool is_token_char(char c) {
  if (c <= 32 || c == 127) return false;  // char is signed: bytes above 127 too
  return std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
}

std::string_view chomp(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

Method method_of(std::string_view text) {
  if (text == "GET") return Method::kGet;
  if (text == "POST") return Method::kPost;
  if (text == "PUT") return Method::kPut;
  if (text == "HEAD") return Method::kHead;
  if (text == "CONNECT") return Method::kConnect;
  if (text == "OPTIONS") return Method::kOptions;
  return is_known_method(text) ? Method::kOther : Method::kUnknown;
}

bool is_known_method(std::string_view text) {
  return std::ranges::find(kMethods, text) != kMethods.end();
}

Protocol protocol_of(std::string_view text) {
  if (text.size() < 6 || !starts_with_ignore_case(text, "HTTP")) return Protocol::kInvalid;
  text.remove_prefix(4);
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (!text.starts_with('/')) return Protocol::kInvalid;
  text.remove_prefix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.size() > 3 && text.starts_with('0')) text.remove_prefix(1);
  if (text == "1.1") return Protocol::k11;
  if (text == "1.0") return Protocol::k10;
  if (text == "0.9" || text == ".9") return Protocol::k09;
  return Protocol::kInvalid;
}

int status_of(std::string_view text) {
  while (!text.empty() && is_http_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_http_space(text.back())) text.remove_suffix(1);
  const auto n = decimal(text);
  return n && *n >= 100 && *n <= 999 ? static_cast<int>(*n) : -1;
}

bool looks_like_body(std::string_view line) {
  while (!line.empty() && (is_http_space(line.front()) || line.front() == '\0'))
    line.remove_prefix(1);
  return !starts_with_ignore_case(line, "http");
}

ContentLength parse_content_length(std::string_view text) {
  ContentLength r;
  size_t at = 0;
  while (at < text.size() && !is_digit(text[at])) {
    if (!is_lws(text[at])) r.junk_before = true;
    ++at;
  }
  if (at == text.size()) return r;
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), n);
  if (error != std::errc()) return r;
  for (const char* p = end; p != text.data() + text.size(); ++p)
    r.junk_behind = r.junk_behind || !is_lws(*p);
  r.value = n;
  return r;
}

ChunkLength parse_chunk_length(std::string_view line) {
  while (!line.empty() && is_chunk_control(line.front())) line.remove_prefix(1);
  if (line.empty()) return {ChunkLength::Kind::kEmptyLine, 0, false};
  size_t digits = 0;
  while (digits < line.size() && is_hex(line[digits])) ++digits;
  if (digits == 0) return {};
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + digits, size, 16);
  if (error != std::errc() || size > INT32_MAX) return {};
  return {ChunkLength::Kind::kSize, size, line.find(';', digits) != std::string_view::npos};
}

bool can_be_chunk_length(std::string_view begin) {
  if (begin.size() < 8) return true;
  for (const char c : begin) {
    if (is_chunk_control(c)) continue;
    return is_hex(c) || c == ';';
  }
  return true;
}

bool equals_ignoring_nul(std::string_view text, std::string_view lower) {
  size_t at = 0;
  for (const char c : text) {
    if (c == '\0') continue;
    if (at == lower.size() || ascii_lower(c) != lower[at]) return false;
    ++at;
  }
  return at == lower.size();
}

bool contains_ignoring_nul(std::string_view text, std::string_view lower) {
  if (text.find('\0') == std::string_view::npos) return contains_ignore_case(text, lower);
  std::string clean(text);
  std::erase(clean, '\0');
  return contains_ignore_case(clean, lower);
}

bool contains_ignore_case(std::string_view text, std::string_view lower) {
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(),
                     [](char a, char b) { return ascii_lower(a) == b; }) != text.end() ||
         lower.empty();
}

std::optional<std::string_view> disposition_parameter(std::string_view value,
                                                      std::string_view name) {
  // Parameters stand behind semicolons that are not inside quotes (RFC 6266 4.1).
  size_t at = 0;
  bool quoted = false;
  while (at <= value.size()) {
    size_t end = at;
    for (quoted = false; end < value.size() && (quoted || value[end] != ';'); ++end) {
      if (value[end] == '"' && (end == at || value[end - 1] != '\\')) quoted = !quoted;
    }
    std::string_view part = value.substr(at, end - at);
    while (!part.empty() && is_http_space(part.front())) part.remove_prefix(1);
    if (starts_with_ignore_case(part, name)) {
      part.remove_prefix(name.size());
      if (part.starts_with('"')) {
        part.remove_prefix(1);
        const size_t close = part.rfind('"');
        if (close != std::string_view::npos) part = part.substr(0, close);
      }
      return part;
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
  value = strip(value);
  const size_t space = value.find(' ');
  if (space == std::string_view::npos || !equals_ignore_case(value.substr(0, space), "bytes"))
    return std::nullopt;
  value = strip(value.substr(space));
  const size_t slash = value.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ContentRange r;
  const std::string_view range = strip(value.substr(0, slash)),
                         size = strip(value.substr(slash + 1));
  if (size != "*") {
    const auto n = decimal(size);
    if (!n) return std::nullopt;
    r.size = *n;
  }
  if (range == "*") return r;
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto start = decimal(range.substr(0, dash)), end = decimal(range.substr(dash + 1));
  if (!start || !end) return std::nullopt;
  r.start = *start;
  r.end = *end;
  return r;
}

}  // namespace vong::http
