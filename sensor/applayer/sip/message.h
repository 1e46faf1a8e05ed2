// SIP messages (RFC 3261 section 7) and the session descriptions in them (SDP, RFC 8866 section 5).
//
//   INVITE sip:bob@example.org SIP/2.0 CRLF        SIP/2.0 200 OK CRLF
//   *(Name: value CRLF) CRLF [body]                *(Name: value CRLF) CRLF [body]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sensor/packet/types.h"

namespace vong::sip {

struct SdpMedia {
  std::string media, info, connection, key;
  std::vector<std::string> bandwidths, attributes;
};

struct SdpTime {
  std::string time;
  std::vector<std::string> repeats;
};

struct Sdp {
  uint32_t version = 0;
  std::string origin, name, info, uri, email, phone, connection, timezone, key;
  std::vector<std::string> bandwidths, attributes;
  std::vector<SdpTime> times;
  std::vector<SdpMedia> media;
};

// Nothing when it does not begin with a version line.
[[nodiscard]] std::optional<Sdp> parse_sdp(std::string_view text);

struct Header {
  std::string name;   // lower case, the long form of compact names
  std::string value;  // unfolded
};

struct Message {
  bool request = false;
  std::string start_line;            // without its end
  std::string method, uri, version;  // request; version of both
  std::string code, reason;          // response
  std::vector<Header> headers;
  std::optional<Sdp> sdp;

  [[nodiscard]] const std::string* header(std::string_view name, uint32_t i = 0) const;
};

// `line` without its end. False: not a start line of this kind.
[[nodiscard]] bool parse_request_line(std::string_view line, Message& m);
[[nodiscard]] bool parse_status_line(std::string_view line, Message& m);
// `text`: the header lines, each with its end. False: a line that is no header.
[[nodiscard]] bool parse_headers(std::string_view text, Message& m);
// Takes the body apart when the headers name a type that is known.
void parse_body(std::string_view body, Message& m);

// Is `data` the begin of a request (to server) or a response (to client)? Nothing: too short to
// say.
[[nodiscard]] std::optional<bool> looks_like_message(bool request, std::string_view data);
[[nodiscard]] bool begins_with_method(std::string_view data);

}  // namespace vong::sip
