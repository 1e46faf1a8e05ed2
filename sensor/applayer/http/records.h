// EVE's http record and its short form inside alerts.
#pragma once

#include "base/json_writer.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::http {

[[nodiscard]] bool log_http(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);
[[nodiscard]] bool alert_http(const applayer::Transaction& tx, const applayer::LogContext& context,
                              JsonWriter& out);

}  // namespace vong::http
