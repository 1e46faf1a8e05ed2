// Runs conversations through the HTTP parser and looks at what came of them.
#pragma once

#include <string>
#include <string_view>

#include "sensor/applayer/http/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::http {

using applayer::contract::Conversation;
using applayer::contract::Outcome;
using applayer::contract::run;
using applayer::contract::run_in_pieces;

inline constexpr Direction kClientSide = Direction::kToServer, kServerSide = Direction::kToClient;

inline const HttpTransaction& tx_of(const Outcome& o, size_t i = 0) {
  return static_cast<const HttpTransaction&>(*o.transactions().at(i));
}

// A buffer's bytes, or "(none)".
inline std::string buffer(const Outcome& o, std::string_view name, Direction d = kClientSide,
                          size_t tx = 0, uint32_t i = 0) {
  for (const auto& b : kHttp1Protocol.buffers) {
    if (b.name != name) continue;
    std::string scratch;
    const auto v = b.get(tx_of(o, tx), d, i, scratch);
    return v.present ? std::string(as_text(v.data)) : "(none)";
  }
  return "(no such buffer)";
}

inline bool raised(const Outcome& o, std::string_view event, size_t tx = 0) {
  for (const auto e : tx_of(o, tx).events()) {
    if (kHttp1Protocol.events[e].rule_name == event) return true;
  }
  return false;
}

inline Conversation simple(std::string_view request, std::string_view response = "",
                           Settings settings = {}) {
  Conversation c(&kHttp1Protocol, std::move(settings));
  c.client(request);
  if (!response.empty()) c.server(response);
  return c;
}

inline constexpr std::string_view kGet =
    "GET /a//b/../c%20d?x=%41 HTTP/1.1\r\nHost: Example.COM:8080\r\nCookie: a=b\r\nUser-Agent: "
    "ua\r\n\r\n";
inline constexpr std::string_view kOk =
    "HTTP/1.1 200 OK\r\nServer: s\r\nSet-Cookie: k\r\nContent-Type: text/html; charset=x\r\n"
    "Content-Length: 5\r\n\r\nhello";

}  // namespace vong::http
