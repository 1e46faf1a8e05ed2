#include <array>

#include "sensor/applayer/core/line_log.h"
#include "sensor/applayer/http/line_log.h"
#include "sensor/applayer/tls/line_log.h"

namespace vong::applayer {

std::span<const LineLogDef* const> line_logs() {
  static const std::array kAll = {&http::kHttpLineLog, &tls::kTlsLineLog};
  return kAll;
}

bool certificates_of(std::string_view protocol, const Transaction& tx, CertificateView& out) {
  return protocol == tls::kTlsLineLog.protocol && tls::certificates(tx, out);
}

}  // namespace vong::applayer
