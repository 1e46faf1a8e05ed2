// DNS over HTTP/2 (RFC 8484): the message in the path's "dns" parameter or in a body of type
// application/dns-message.
#include <algorithm>

#include "sensor/applayer/http2/parser.h"

namespace vong::http2 {
namespace {

// The value of "dns" in the query part of a path; empty when there is none.
std::string_view dns_parameter(std::string_view path) {
  size_t at = path.find('?');
  while (at != std::string_view::npos) {
    const std::string_view rest = path.substr(at + 1);
    if (rest.starts_with("dns="))
      return rest.substr(
          4, rest.find('&') == std::string_view::npos ? rest.size() : rest.find('&') - 4);
    at = path.find('&', at + 1);
  }
  return {};
}

int digit64(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-' || c == '+') return 62;
  if (c == '_' || c == '/') return 63;
  return -1;
}

}  // namespace

bool decode_base64url(std::string_view text, std::string& out) {
  while (text.ends_with('=')) text.remove_suffix(1);
  uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const int digit = digit64(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out.push_back(static_cast<char>(bits >> have & 0xff));
  }
  return have < 6;
}

void Http2Parser::take_dns(Http2Transaction& tx, Direction d, Bytes message) {
  auto parsed = std::make_unique<dns::Transaction>();
  if (dns::parse_message(message, parsed->message) != dns::ParseStatus::kOk) return;
  parsed->direction = d;
  parsed->progress = {1, 1};
  tx.side(d).dns = std::move(parsed);
  speaks = applayer::AppProto::kDoh2;
}

void Http2Parser::read_dns_query_of_path(Http2Transaction& tx) {
  Side& s = tx.side(Direction::kToServer);
  if (!config_.doh || s.dns != nullptr) return;
  const Field* accept = s.find("accept");
  const Field* path = s.find(":path");
  if (path == nullptr ||
      !(s.is_dns || (accept != nullptr && accept->value() == "application/dns-message")))
    return;
  const std::string_view coded = dns_parameter(path->value());
  if (coded.empty()) return;
  std::string message;
  if (coded.size() > kDnsBytesMax * 4 / 3) return tx.raise(Event::kDnsRequestTooLong);
  if (decode_base64url(coded, message)) take_dns(tx, Direction::kToServer, as_bytes(message));
}

void Http2Parser::read_dns_body(Http2Transaction& tx, Direction d) {
  Side& s = tx.side(d);
  if (s.is_dns && !s.dns_message.empty()) take_dns(tx, d, as_bytes(s.dns_message));
  std::string().swap(s.dns_message);
}

}  // namespace vong::http2
