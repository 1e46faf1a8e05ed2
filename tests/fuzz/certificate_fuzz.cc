// Rooms: applayer_tls. The DER reader alone, which a session reaches only behind a handshake.
#include "base/json_writer.h"
#include "sensor/applayer/tls/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vong::tls::Certificate c;
  if (vong::tls::parse_certificate({data, size}, c) != vong::tls::CertificateError::kNone) return 0;
  std::string json;
  vong::JsonWriter out(json);
  out.open_object();
  out.field("subject", c.subject);
  out.field("notbefore", vong::tls::certificate_time(c.not_before_s));
  out.close_object();
  return 0;
}
