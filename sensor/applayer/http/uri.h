// Request targets (RFC 3986 3, RFC 9112 3.2): split and normalized as a server of the configured
// kind would.
#pragma once

#include <string>
#include <string_view>

#include "sensor/applayer/http/config.h"

namespace vong::http {

// Views into the input; a part that is not there is null (data() == nullptr).
struct UriParts {
  std::string_view scheme, user, password, host, port, path, query, fragment;
  [[nodiscard]] static bool has(std::string_view part) { return part.data() != nullptr; }
};
[[nodiscard]] UriParts parse_uri(std::string_view uri);
// "host:port", as CONNECT has it.
[[nodiscard]] UriParts parse_authority_form(std::string_view uri);

// What a Host header says. `valid`: the name has a form that a name can have.
struct HostPort {
  std::string host;  // lower case, without a dot at the end
  std::string_view port_text;
  bool has_port = false;
  int port = -1;  // -1: none or not a port
  bool valid = true;
};
[[nodiscard]] HostPort parse_host_port(std::string_view text);
[[nodiscard]] bool is_valid_host(std::string_view host);
// 1..65535, else -1.
[[nodiscard]] int parse_port(std::string_view text);

// Percent decoding (and %uHHHH), separators, UTF-8, dot segments.
[[nodiscard]] std::string normalize_path(std::string_view path, const ServerConfig& config);
[[nodiscard]] std::string decode_percent(std::string_view text, const ServerConfig& config,
                                         bool plus_is_space);

// http.uri.
[[nodiscard]] std::string normalize_uri(const UriParts& parts, const ServerConfig& config,
                                        std::string& path_out, bool& double_encoded);

}  // namespace vong::http
