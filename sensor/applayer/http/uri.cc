#include "sensor/applayer/http/uri.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {
namespace {

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_byte(std::string_view text, size_t at) {
  if (at + 2 > text.size()) return -1;
  const int high = hex_value(text[at]), low = hex_value(text[at + 1]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// The byte of Windows-1252 that a character is taken for: itself, its letter without marks, its
// ASCII form; else '?'.
char best_fit(uint32_t code) {
  if (code < 0x100) return static_cast<char>(code);
  // Latin Extended-A, from U+0100 on.
  static constexpr std::string_view kLatin =
      "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi\?\?JjKk\?LlLlLlLlLlNnNnNn\?\?\?OoOoOo\x8c"
      "\x9cRrRrRrSsSsSs\x8a\x9aTtTtTtUuUuUuUuUuUuWwYy\x9fZzZz\x8e\x9e"
      "b";
  if (code - 0x100 < kLatin.size()) return kLatin[code - 0x100];
  if (code >= 0xff01 && code <= 0xff5e)
    return static_cast<char>(code - 0xff01 + 0x21);  // full width
  switch (code) {
    case 0x2010:
    case 0x2011:
    case 0x2212:
      return '-';
    case 0x2215:
    case 0x2044:
      return '/';
    case 0x2216:
      return '\\';
    case 0x2032:
      return '\'';
    case 0x2024:
      return '.';
    case 0x2236:
      return ':';
    case 0x3000:
    case 0x2003:
    case 0x2002:
      return ' ';
    default:
      return '?';
  }
}

// Multi-byte UTF-8 sequences become one byte each; what is no UTF-8 stays.
void fit_utf8(std::string& text) {
  if (std::ranges::none_of(text, [](char c) { return static_cast<uint8_t>(c) >= 0xc0; })) return;
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<uint8_t>(text[at]);
    const size_t length = first >= 0xf0 && first < 0xf8   ? 4
                          : first >= 0xe0 && first < 0xf0 ? 3
                          : first >= 0xc0 && first < 0xe0 ? 2
                                                          : 1;
    uint32_t code = length == 1 ? first : first & (0x7f >> length);
    bool good = length > 1 && at + length <= text.size();
    for (size_t i = 1; good && i < length; ++i) {
      const auto next = static_cast<uint8_t>(text[at + i]);
      good = (next & 0xc0) == 0x80;
      code = code << 6 | (next & 0x3f);
    }
    out.push_back(good ? best_fit(code) : text[at]);
    at += good ? length : 1;
  }
  text = std::move(out);
}

// Reads an escape at text[at] ('%'). Returns its length, 0 when it is none.
size_t unescape(std::string_view text, size_t at, bool decode_u, char& out) {
  if (decode_u && at + 1 < text.size() && (text[at + 1] == 'u' || text[at + 1] == 'U')) {
    const int high = hex_byte(text, at + 2), low = hex_byte(text, at + 4);
    if (high < 0 || low < 0) return 0;
    out = best_fit(static_cast<uint32_t>(high) << 8 | static_cast<uint32_t>(low));
    return 6;
  }
  const int value = hex_byte(text, at + 1);
  if (value < 0) return 0;
  out = static_cast<char>(value);
  return 3;
}

// RFC 3986 5.2.4 on a decoded path, in place and in linear time.
void remove_dot_segments(std::string& path) {
  std::string out;
  out.reserve(path.size());
  std::string_view in = path;
  while (!in.empty()) {
    if (in.starts_with("../")) {
      in.remove_prefix(3);
    } else if (in.starts_with("./")) {
      in.remove_prefix(2);
    } else if (in.starts_with("/./")) {
      in.remove_prefix(2);
    } else if (in == "/.") {
      in = "/";
    } else if (in.starts_with("/../") || in == "/..") {
      const size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
      in = in == "/.." ? std::string_view("/") : in.substr(3);
    } else if (in == "." || in == "..") {
      in = {};
    } else {
      const size_t next = in.find('/', 1);
      out.append(in.substr(0, next));
      in = next == std::string_view::npos ? std::string_view() : in.substr(next);
    }
  }
  path = std::move(out);
}

}  // namespace

UriParts parse_uri(std::string_view uri) {
  UriParts p;
  size_t at = 0;
  if (uri.empty()) return p;
  if (uri[0] != '/') {
    const size_t colon = uri.find(':');
    if (colon != std::string_view::npos) {
      p.scheme = uri.substr(0, colon);
      at = colon + 1;
    }
  }
  const bool slashes = UriParts::has(p.scheme) && at + 2 < uri.size() && uri[at] == '/' &&
                       uri[at + 1] == '/' && uri[at + 2] != '/';
  // "sip:name" and its like: what stands behind the colon is taken for the host.
  const bool bare = UriParts::has(p.scheme) && at < uri.size() && uri[at] != '/';
  if (slashes || bare) {
    if (slashes) at += 2;
    const size_t end = std::min(uri.find_first_of("?/#", at), uri.size());
    std::string_view authority = uri.substr(at, end - at);
    at = end;
    const size_t sign = slashes ? authority.find('@') : std::string_view::npos;
    if (sign != std::string_view::npos) {
      const std::string_view credentials = authority.substr(0, sign);
      authority.remove_prefix(sign + 1);
      const size_t colon = credentials.find(':');
      p.user = credentials.substr(0, colon);
      if (colon != std::string_view::npos) p.password = credentials.substr(colon + 1);
    }
    const UriParts host = parse_authority_form(authority);
    p.host = host.host;
    p.port = host.port;
  }
  const size_t path_end = std::min(uri.find_first_of("?#", at), uri.size());
  if (path_end > at || at < uri.size()) p.path = uri.substr(at, path_end - at);
  at = path_end;
  if (at < uri.size() && uri[at] == '?') {
    const size_t end = std::min(uri.find('#', at), uri.size());
    p.query = uri.substr(at + 1, end - at - 1);
    at = end;
  }
  if (at < uri.size()) p.fragment = uri.substr(at + 1);
  return p;
}

UriParts parse_authority_form(std::string_view text) {
  UriParts p;
  size_t colon = std::string_view::npos;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) {
      p.host = text;
      return p;
    }
    colon = text.find(':', close);
  } else {
    colon = text.find(':');
  }
  p.host = text.substr(0, colon);
  if (colon != std::string_view::npos) p.port = text.substr(colon + 1);
  return p;
}

int parse_port(std::string_view text) {
  text = strip(text);
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return -1;
  return port;
}

bool is_valid_host(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  if (host.front() == '[')
    return host.size() > 3 && host.back() == ']' && host.find(':') != std::string_view::npos;
  if (host.ends_with('.')) host.remove_suffix(1);
  size_t label = 0;
  for (size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    if (!is_digit(c) && !(ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') && c != '-' && c != '_')
      return false;
    if (++label > 63) return false;
  }
  return true;
}

HostPort parse_host_port(std::string_view text) {
  HostPort r;
  text = strip(text);
  if (text.empty()) {
    r.valid = false;
    return r;
  }
  const UriParts p = parse_authority_form(text);
  std::string_view host = p.host;
  while (!host.empty() && is_http_space(host.back())) host.remove_suffix(1);
  r.host = to_lower(host);
  r.valid = is_valid_host(host);
  if (UriParts::has(p.port)) {
    r.has_port = true;
    r.port_text = p.port;
    r.port = parse_port(p.port);
    if (r.port < 0) r.valid = false;
  }
  return r;
}

std::string decode_percent(std::string_view text, const ServerConfig& config, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    size_t taken = 1;
    if (c == '%') {
      const size_t n = unescape(text, at, config.decode_u, c);
      if (n != 0) taken = n;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out.push_back(c);
    at += taken;
  }
  return out;
}

std::string normalize_path(std::string_view path, const ServerConfig& config) {
  std::string out;
  out.reserve(path.size());
  for (size_t at = 0; at < path.size();) {
    char c = path[at];
    size_t taken = 1;
    if (c == '%') {
      char plain = 0;
      const size_t n = unescape(path, at, config.decode_u, plain);
      const bool separator = plain == '/' || (plain == '\\' && config.backslash_is_slash);
      if (n != 0 && (!separator || config.decode_separators)) {
        c = plain;
        taken = n;
      }
    }
    if (c == '\\' && config.backslash_is_slash) c = '/';
    at += taken;
    if (c == '/' && config.compress_separators && out.ends_with('/')) continue;
    out.push_back(c);
  }
  if (config.utf8_best_fit) fit_utf8(out);
  remove_dot_segments(out);
  return out;
}

namespace {

// True when there was something left to decode.
bool decode_again(std::string& text, const ServerConfig& config, bool plus_is_space) {
  std::string decoded = decode_percent(text, config, plus_is_space);
  const bool changed = decoded.size() != text.size();
  text = std::move(decoded);
  return changed;
}

}  // namespace

std::string normalize_uri(const UriParts& p, const ServerConfig& config, std::string& path_out,
                          bool& double_encoded) {
  path_out = normalize_path(p.path, config);
  if (config.double_decode_path) double_encoded = decode_again(path_out, config, false);
  std::string out;
  if (config.uri_include_all) {
    if (UriParts::has(p.scheme)) out.append(to_lower(p.scheme)).append("://");
    if (UriParts::has(p.user) || UriParts::has(p.password)) {
      out.append(p.user).append(":").append(p.password).append("@");
    }
    if (UriParts::has(p.host)) out.append(to_lower(p.host));
    if (UriParts::has(p.port)) out.append(":").append(p.port);
  }
  out.append(path_out);
  if (UriParts::has(p.query)) {
    std::string query = decode_percent(p.query, config, config.query_plus_is_space);
    if (config.double_decode_query && decode_again(query, config, config.query_plus_is_space))
      double_encoded = true;
    out.append("?").append(query);
  }
  if (UriParts::has(p.fragment)) out.append("#").append(p.fragment);
  return out;
}

}  // namespace vong::http
