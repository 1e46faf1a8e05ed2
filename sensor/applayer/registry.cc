// The list of protocols: one line each. Order is the order of --list-app-layer-protos and of
// detection among equals.
#include <array>

#include "sensor/applayer/core/driver.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/dns/parser.h"
#include "sensor/applayer/http/parser.h"
#include "sensor/applayer/http2/parser.h"
#include "sensor/applayer/ftp/parser.h"
#include "sensor/applayer/mqtt/parser.h"
#include "sensor/applayer/dcerpc/parser.h"
#include "sensor/applayer/krb5/parser.h"
#include "sensor/applayer/nfs/parser.h"
#include "sensor/applayer/smb/parser.h"
#include "sensor/applayer/quic/parser.h"
#include "sensor/applayer/smtp/parser.h"
#include "sensor/applayer/ssh/parser.h"
#include "sensor/applayer/tls/parser.h"
#include "sensor/applayer/websocket/parser.h"

namespace vong::applayer {

std::span<const ProtocolDef* const> protocols() {
  static const std::array kAll = {
      &http::kHttp1Protocol,
      &tls::kTlsProtocol,
      &ssh::kSshProtocol,
      &smtp::kSmtpProtocol,
      &ftp::kFtpProtocol,
      &ftp::kFtpDataProtocol,
      &smb::kSmbProtocol,
      &dcerpc::kDcerpcProtocol,
      &krb5::kKrb5Protocol,
      &nfs::kNfsProtocol,
      &mqtt::kMqttProtocol,
      &dns::kDnsProtocol,
      &dns::kMdnsProtocol,
      &dns::kLlmnrProtocol,
      &http2::http2_def(),
      &http2::doh2_def(),
      &websocket::kWebsocketProtocol,
      &quic::kQuicProtocol,
  };
  return kAll;
}

const ProtocolDef* protocol(AppProto id) {
  for (const ProtocolDef* p : protocols()) {
    if (p->id == id) return p;
  }
  return nullptr;
}

const ProtocolDef* protocol_by_name(std::string_view name) {
  for (const ProtocolDef* p : protocols()) {
    if (p->name == name || (!p->rule_alias.empty() && p->rule_alias == name)) return p;
  }
  return nullptr;
}

std::shared_ptr<const DriverConfig> make_driver_config(const Settings& settings) {
  return make_driver_config(settings, protocols());
}

}  // namespace vong::applayer
