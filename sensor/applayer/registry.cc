// The list of protocols: one line each. Order is the order of --list-app-layer-protos and of
// detection among equals.
#include <array>

#include "sensor/applayer/bittorrent_dht/parser.h"
#include "sensor/applayer/core/driver.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/dcerpc/parser.h"
#include "sensor/applayer/dhcp/parser.h"
#include "sensor/applayer/dnp3/parser.h"
#include "sensor/applayer/dns/parser.h"
#include "sensor/applayer/enip/parser.h"
#include "sensor/applayer/ftp/parser.h"
#include "sensor/applayer/http/parser.h"
#include "sensor/applayer/http2/parser.h"
#include "sensor/applayer/iec104/parser.h"
#include "sensor/applayer/ike/parser.h"
#include "sensor/applayer/imap/parser.h"
#include "sensor/applayer/irc/protocol.h"
#include "sensor/applayer/jabber/protocol.h"
#include "sensor/applayer/krb5/parser.h"
#include "sensor/applayer/ldap/parser.h"
#include "sensor/applayer/modbus/parser.h"
#include "sensor/applayer/mqtt/parser.h"
#include "sensor/applayer/mysql/protocol.h"
#include "sensor/applayer/nfs/parser.h"
#include "sensor/applayer/ntp/parser.h"
#include "sensor/applayer/pgsql/parser.h"
#include "sensor/applayer/pop3/parser.h"
#include "sensor/applayer/quic/parser.h"
#include "sensor/applayer/rdp/parser.h"
#include "sensor/applayer/rfb/parser.h"
#include "sensor/applayer/s7comm/parser.h"
#include "sensor/applayer/sip/parser.h"
#include "sensor/applayer/smb/parser.h"
#include "sensor/applayer/smtp/parser.h"
#include "sensor/applayer/snmp/parser.h"
#include "sensor/applayer/ssh/parser.h"
#include "sensor/applayer/telnet/parser.h"
#include "sensor/applayer/template_text/parser.h"
#include "sensor/applayer/tftp/parser.h"
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
      &sip::kSipProtocol,
      &ldap::kLdapProtocol,
      &pgsql::kPgsqlProtocol,
      &pop3::kPop3Protocol,
      &imap::kImapProtocol,
      &telnet::kTelnetProtocol,
      &template_text::kTemplateProtocol,
      &bittorrent_dht::kBittorrentDhtProtocol,
      &irc::kIrcProtocol,
      &jabber::kJabberProtocol,
      &mysql::kMysqlProtocol,
      &dns::kDnsProtocol,
      &dns::kMdnsProtocol,
      &dns::kLlmnrProtocol,
      &dnp3::kDnp3Protocol,
      &dhcp::kDhcpProtocol,
      &snmp::kSnmpProtocol,
      &rfb::kRfbProtocol,
      &ike::kIkeProtocol,
      &ntp::kNtpProtocol,
      &tftp::kTftpProtocol,
      &modbus::kModbusProtocol,
      &rdp::kRdpProtocol,
      &enip::kEnipProtocol,
      &http2::http2_def(),
      &http2::doh2_def(),
      &iec104::kIec104Protocol,
      &s7comm::kS7commProtocol,
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
