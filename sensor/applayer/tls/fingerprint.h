// Fingerprints of hellos: JA3 and JA3S (github.com/salesforce/ja3), JA4 (github.com/FoxIO-LLC/ja4),
// and the hashes they are made with.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "sensor/applayer/tls/hello.h"

namespace vong::tls {

// "version,ciphers,extensions,groups,point formats", decimal, GREASE left out.
[[nodiscard]] std::string ja3_string(const ClientHello& hello);
// "version,cipher,extensions".
[[nodiscard]] std::string ja3s_string(const ServerHello& hello);
// "t13d1516h2_8daaf6152771_e5627efa2ab1"; `transport`: 't' for TCP, 'q' for QUIC.
[[nodiscard]] std::string ja4(const ClientHello& hello, char transport);


}  // namespace vong::tls
