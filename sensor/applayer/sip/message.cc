#include "sensor/applayer/sip/message.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/sip/limits.h"

namespace vong::sip {
namespace {

constexpr std::string_view kVersionBegin = "SIP/";

// What a flow is recognised by: RFC 3261 section 25.1 and its extensions, but for OPTIONS, which HTTP
// and RTSP have too.
constexpr std::string_view kMethods[] = {"REGISTER", "INVITE",  "ACK",   "BYE",       "CANCEL",
                                         "UPDATE",   "REFER",   "PRACK", "SUBSCRIBE", "NOTIFY",
                                         "PUBLISH",  "MESSAGE", "INFO"};

struct CompactName {
  char letter;
  std::string_view name;
};
constexpr CompactName kCompact[] = {{'f', "from"},
                                    {'t', "to"},
                                    {'v', "via"},
                                    {'c', "content-type"},
                                    {'l', "content-length"},
                                    {'m', "contact"},
                                    {'i', "call-id"},
                                    {'s', "subject"},
                                    {'k', "supported"},
                                    {'e', "content-encoding"}};

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
         std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

// "SIP/2.0"
bool is_version(std::string_view text) {
  if (!text.starts_with(kVersionBegin)) return false;
  text.remove_prefix(kVersionBegin.size());
  const size_t dot = text.find('.');
  const auto digits = [](std::string_view s) {
    return !s.empty() && std::ranges::all_of(s, is_digit);
  };
  return dot != std::string_view::npos && digits(text.substr(0, dot)) &&
         digits(text.substr(dot + 1));
}

std::string header_name(std::string_view text) {
  std::string name = to_lower(text);
  if (name.size() != 1) return name;
  for (const CompactName& c : kCompact) {
    if (c.letter == name[0]) return std::string(c.name);
  }
  return name;
}

// Takes the next line from `text`, without its end; false when there is none.
bool next_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  const size_t end = text.find('\n');
  line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

// A line of the part that describes one medium. False: it is not one of those.
bool media_line(char type, std::string_view value, SdpMedia& m) {
  switch (type) {
    case 'i':
      m.info = value;
      return true;
    case 'c':
      m.connection = value;
      return true;
    case 'b':
      m.bandwidths.emplace_back(value);
      return true;
    case 'k':
      m.key = value;
      return true;
    case 'a':
      m.attributes.emplace_back(value);
      return true;
    default:
      return false;
  }
}

std::string* session_field(char type, Sdp& s) {
  switch (type) {
    case 'o':
      return &s.origin;
    case 's':
      return &s.name;
    case 'i':
      return &s.info;
    case 'u':
      return &s.uri;
    case 'e':
      return &s.email;
    case 'p':
      return &s.phone;
    case 'c':
      return &s.connection;
    case 'z':
      return &s.timezone;
    case 'k':
      return &s.key;
    default:
      return nullptr;
  }
}

void session_line(char type, std::string_view value, Sdp& s) {
  if (std::string* field = session_field(type, s)) {
    *field = value;
  } else if (type == 'b') {
    s.bandwidths.emplace_back(value);
  } else if (type == 'a') {
    s.attributes.emplace_back(value);
  } else if (type == 't') {
    s.times.push_back({std::string(value), {}});
  } else if (type == 'r' && !s.times.empty()) {
    s.times.back().repeats.emplace_back(value);
  }
}

}  // namespace

std::optional<Sdp> parse_sdp(std::string_view text) {
  Sdp s;
  std::string_view line;
  if (!next_line(text, line) || !line.starts_with("v=")) return std::nullopt;
  const std::string_view version = strip(line.substr(2));
  const auto [end, error] =
      std::from_chars(version.data(), version.data() + version.size(), s.version);
  if (error != std::errc() || end != version.data() + version.size()) return std::nullopt;
  for (size_t lines = 0; lines < kMaxSdpLines && next_line(text, line); ++lines) {
    if (line.size() < 2 || line[1] != '=') continue;
    const std::string_view value = line.substr(2);
    if (line[0] == 'm') {
      s.media.emplace_back().media = value;
    } else if (s.media.empty() || !media_line(line[0], value, s.media.back())) {
      session_line(line[0], value, s);
    }
  }
  return s;
}

const std::string* Message::header(std::string_view name, uint32_t i) const {
  for (const Header& h : headers) {
    if (h.name == name && i-- == 0) return &h.value;
  }
  return nullptr;
}

bool parse_request_line(std::string_view line, Message& m) {
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || last <= first + 1) return false;
  m.method = line.substr(0, first);
  m.uri = line.substr(first + 1, last - first - 1);
  m.version = line.substr(last + 1);
  m.start_line = line;
  m.request = true;
  return is_token(m.method) && m.uri.find(' ') == std::string::npos && is_version(m.version);
}

bool parse_status_line(std::string_view line, Message& m) {
  const size_t first = line.find(' ');
  if (first == std::string_view::npos) return false;
  m.version = line.substr(0, first);
  std::string_view rest = line.substr(first + 1);
  const size_t second = rest.find(' ');
  m.code = rest.substr(0, second);
  if (second != std::string_view::npos) m.reason = rest.substr(second + 1);
  m.start_line = line;
  return is_version(m.version) && m.code.size() == 3 && std::ranges::all_of(m.code, is_digit);
}

bool parse_headers(std::string_view text, Message& m) {
  std::string_view line;
  while (next_line(text, line)) {
    if (line.empty()) continue;
    if (line[0] == ' ' || line[0] == '\t') {  // folded
      if (m.headers.empty()) return false;
      m.headers.back().value.append(" ").append(strip(line));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view name = strip(line.substr(0, colon));
    if (!is_token(name)) return false;
    if (m.headers.size() < kMaxHeaders)
      m.headers.push_back({header_name(name), std::string(strip(line.substr(colon + 1)))});
  }
  return true;
}

void parse_body(std::string_view body, Message& m) {
  const std::string* type = m.header("content-type");
  if (type == nullptr || body.empty()) return;
  const std::string_view name = strip(std::string_view(*type).substr(0, type->find(';')));
  if (equals_ignore_case(name, "application/sdp")) m.sdp = parse_sdp(body);
}

std::optional<bool> looks_like_message(bool request, std::string_view data) {
  if (!request) {
    constexpr std::string_view kBegin = "SIP/2.0 ";
    if (data.size() >= kBegin.size()) return data.starts_with(kBegin);
    return kBegin.starts_with(data) ? std::nullopt : std::optional(false);
  }
  const size_t space = data.find(' ');
  const std::string_view method = data.substr(0, space);
  if (space == std::string_view::npos) {
    const bool may = std::ranges::any_of(
        kMethods, [&](std::string_view name) { return name.starts_with(method); });
    return may ? std::nullopt : std::optional(false);
  }
  if (std::ranges::find(kMethods, method) == std::end(kMethods)) return false;
  const size_t end = data.find('\n');
  if (end == std::string_view::npos) {
    return data.size() > kMaxHeadBytes ? std::optional(false) : std::nullopt;
  }
  Message m;
  std::string_view line = data.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return parse_request_line(line, m);
}

bool begins_with_method(std::string_view data) {
  return std::ranges::any_of(kMethods, [&](std::string_view name) { return data.starts_with(name) && data.substr(name.size()).starts_with(' '); });
}

}  // namespace vong::sip
