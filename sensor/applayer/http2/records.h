// EVE's http record of an HTTP/2 stream, and the dns record of one that carries DNS.
#pragma once

#include "base/json_writer.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::http2 {

// "http":{...}; nothing for frames that say nothing (PING, window of the connection).
[[nodiscard]] bool log_http2(const applayer::Transaction& tx, const applayer::LogContext& context,
                             JsonWriter& out);

// Of flows with DNS: streams without a DNS message; streams with one ("http" and "dns").
[[nodiscard]] bool log_without_dns(const applayer::Transaction& tx,
                                   const applayer::LogContext& context, JsonWriter& out);
[[nodiscard]] bool log_dns(const applayer::Transaction& tx, const applayer::LogContext& context,
                           JsonWriter& out);
// Either, whatever there is.
[[nodiscard]] bool alert_doh2(const applayer::Transaction& tx, const applayer::LogContext& context,
                              JsonWriter& out);

}  // namespace vong::http2
