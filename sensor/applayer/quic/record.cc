// EVE's quic record.
#include <algorithm>
#include <array>

#include "sensor/applayer/quic/parser.h"

namespace vong::quic {
namespace {

struct ExtensionName {
  uint16_t type;
  std::string_view name;
};
// IANA "TLS ExtensionType Values".
constexpr auto kExtensions = std::to_array<ExtensionName>({
    {0, "server_name"},
    {1, "max_fragment_length"},
    {2, "client_certificate_url"},
    {3, "trusted_ca_keys"},
    {4, "truncated_hmac"},
    {5, "status_request"},
    {6, "user_mapping"},
    {7, "client_authz"},
    {8, "server_authz"},
    {9, "cert_type"},
    {10, "supported_groups"},
    {11, "ec_point_formats"},
    {12, "srp"},
    {13, "signature_algorithms"},
    {14, "use_srtp"},
    {15, "heartbeat"},
    {16, "alpn"},
    {17, "status_request_v2"},
    {18, "signed_certificate_timestamp"},
    {19, "client_certificate_type"},
    {20, "server_certificate_type"},
    {21, "padding"},
    {22, "encrypt_then_mac"},
    {23, "extended_master_secret"},
    {24, "token_binding"},
    {25, "cached_info"},
    {26, "tls_lts"},
    {27, "compress_certificate"},
    {28, "record_size_limit"},
    {29, "pwd_protect"},
    {30, "pwd_clear"},
    {31, "password_salt"},
    {32, "ticket_pinning"},
    {33, "tls_cert_with_extern_psk"},
    {34, "delegated_credentials"},
    {35, "session_ticket"},
    {41, "pre_shared_key"},
    {42, "early_data"},
    {43, "supported_versions"},
    {44, "cookie"},
    {45, "psk_key_exchange_modes"},
    {47, "certificate_authorities"},
    {48, "oid_filters"},
    {49, "post_handshake_auth"},
    {50, "signature_algorithms_cert"},
    {51, "key_share"},
    {52, "transparency_info"},
    {53, "connection_id_deprecated"},
    {54, "connection_id"},
    {55, "external_id_hash"},
    {56, "external_session_id"},
    {57, "quic_transport_parameters"},
    {58, "ticket_request"},
    {59, "dnssec_chain"},
    {13172, "next_protocol_negotiation"},
    {17513, "application_settings"},
    {65037, "encrypted_client_hello"},
    {65281, "renegotiation_info"},
});
constexpr uint16_t kServerName = 0, kAlpn = 16;

void write_extensions(const Transaction& tx, JsonWriter& out) {
  if (tx.extensions.empty()) return;
  out.open_array("extensions");
  for (const uint16_t type : tx.extensions) {
    out.open_object();
    const auto it = std::ranges::find(kExtensions, type, &ExtensionName::type);
    if (it != kExtensions.end()) out.field("name", it->name);
    out.field("type", type);
    const bool sni = type == kServerName && tx.has_sni, alpn = type == kAlpn && !tx.alpns.empty();
    if (sni || alpn) out.open_array("values");
    if (sni) out.string(tx.sni);
    if (alpn) {
      for (const std::string& p : tx.alpns) out.string(p);
    }
    if (sni || alpn) out.close_array();
    out.close_object();
  }
  out.close_array();
}

}  // namespace

bool log_quic(const applayer::Transaction& t, const applayer::LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(t);
  out.open_object("quic");
  out.field("version", version_name(tx.version));
  if (tx.has_sni) out.field("sni", tx.sni);
  if (tx.has_ua) out.field("ua", tx.ua);
  if (!tx.cyu.empty()) {
    out.open_array("cyu");
    for (const Cyu& c : tx.cyu) {
      out.open_object();
      out.field("hash", c.hash);
      out.field("string", c.text);
      out.close_object();
    }
    out.close_array();
  }
  if (!tx.ja3.empty()) {
    out.open_object(tx.from_client ? "ja3" : "ja3s");
    out.field("hash", tx.ja3_hash);
    out.field("string", tx.ja3);
    out.close_object();
  }
  if (tx.log_ja4 && !tx.ja4.empty()) out.field("ja4", tx.ja4);
  write_extensions(tx, out);
  out.close_object();
  return true;
}

}  // namespace vong::quic
