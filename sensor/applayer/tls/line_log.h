// tls-log: a line of text a session; and the certificates for tls-store.
#pragma once

#include "sensor/applayer/core/line_log.h"

namespace vong::tls {

extern const applayer::LineLogDef kTlsLineLog;

[[nodiscard]] bool certificates(const applayer::Transaction& tx, applayer::CertificateView& out);

}  // namespace vong::tls
