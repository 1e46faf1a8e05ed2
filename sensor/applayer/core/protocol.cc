#include "sensor/applayer/core/protocol.h"

namespace vong::applayer {
namespace {

// In the order of AppProto.
constexpr auto kNames = std::to_array<std::string_view>({
    "unknown", "failed",   "http",  "http2",  "dns",       "tls",    "smtp",
    "ftp",     "ftp-data", "ssh",   "smb",    "dcerpc",    "quic",   "doh2",
    "krb5",    "nfs",      "ldap",  "rdp",    "rfb",       "tftp",   "dhcp",
    "snmp",    "sip",      "ntp",   "mqtt",   "websocket", "telnet", "imap",
    "pop3",    "ike",      "pgsql", "mysql",  "mdns",      "llmnr",  "bittorrent-dht",
    "modbus",  "dnp3",     "enip",  "s7comm", "iec104",    "sdp",    "nbns",
    "jabber",  "irc",      "template",
});
static_assert(kNames.size() == static_cast<size_t>(AppProto::kCount));

}  // namespace

std::string_view name_of(AppProto id) { return kNames[static_cast<size_t>(id)]; }

}  // namespace vong::applayer
