// EVE's tls record: the fields of the default, the extended or a custom list.
#include <array>

#include "sensor/applayer/tls/parser.h"

namespace vong::tls {

using applayer::LogContext;

namespace {

enum Field : uint32_t {
  kSubject = 1 << 0,
  kIssuer = 1 << 1,
  kSessionResumed = 1 << 2,
  kSerial = 1 << 3,
  kFingerprint = 1 << 4,
  kSni = 1 << 5,
  kVersion = 1 << 6,
  kNotBefore = 1 << 7,
  kNotAfter = 1 << 8,
  kCertificate = 1 << 9,
  kChain = 1 << 10,
  kJa3 = 1 << 11,
  kJa3s = 1 << 12,
  kJa4 = 1 << 13,
  kAlternativeNames = 1 << 14,
  kClient = 1 << 15,
  kClientCertificate = 1 << 16,
  kClientChain = 1 << 17,
  kClientAlpns = 1 << 18,
  kServerAlpns = 1 << 19,
  kClientHandshake = 1 << 20,
  kServerHandshake = 1 << 21,
};
constexpr uint32_t kBasic = kSubject | kIssuer | kAlternativeNames;
constexpr uint32_t kExtended = kBasic | kVersion | kSni | kNotBefore | kNotAfter | kSerial |
                               kFingerprint | kJa3 | kJa3s | kJa4 | kClient | kClientAlpns |
                               kServerAlpns;

struct FieldName {
  std::string_view name;
  uint32_t bit;
};
constexpr std::array kFieldNames = {
    FieldName{"subject", kSubject},
    FieldName{"issuer", kIssuer},
    FieldName{"session_resumed", kSessionResumed},
    FieldName{"serial", kSerial},
    FieldName{"fingerprint", kFingerprint},
    FieldName{"sni", kSni},
    FieldName{"version", kVersion},
    FieldName{"not_before", kNotBefore},
    FieldName{"not_after", kNotAfter},
    FieldName{"certificate", kCertificate},
    FieldName{"chain", kChain},
    FieldName{"ja3", kJa3},
    FieldName{"ja3s", kJa3s},
    FieldName{"ja4", kJa4},
    FieldName{"subjectaltname", kAlternativeNames},
    FieldName{"client", kClient},
    FieldName{"client_certificate", kClientCertificate},
    FieldName{"client_chain", kClientChain},
    FieldName{"client_alpns", kClientAlpns},
    FieldName{"server_alpns", kServerAlpns},
    FieldName{"client_handshake", kClientHandshake},
    FieldName{"server_handshake", kServerHandshake},
};

uint32_t fields_of(const LogContext& context) {
  if (context.options == nullptr) return kExtended | kSessionResumed;
  const Settings& s = *context.options;
  uint32_t fields = s.flag("extended", false) ? kExtended : kBasic;
  const auto custom = s.children("custom");
  if (!custom.empty()) fields = 0;
  for (const std::string& i : custom) {
    const std::string_view name = s.text("custom." + i, "");
    for (const FieldName& f : kFieldNames) {
      if (f.name == name) fields |= f.bit;
    }
  }
  if (s.flag("session-resumption", s.flag("extended", false))) fields |= kSessionResumed;
  return fields;
}

void names(std::string_view key, const std::vector<std::string>& values, JsonWriter& out) {
  if (values.empty()) return;
  out.open_array(key);
  for (const std::string& v : values) out.string(v);
  out.close_array();
}

void leaf_fields(const Side& side, uint32_t fields, JsonWriter& out) {
  if (side.leaf == nullptr) return;
  const Certificate& c = *side.leaf;
  if ((fields & kSubject) != 0) out.field("subject", c.subject);
  if ((fields & kIssuer) != 0) out.field("issuerdn", c.issuer);
  if ((fields & kAlternativeNames) != 0) names("subjectaltname", c.alternative_names, out);
  if ((fields & kSerial) != 0) out.field("serial", c.serial);
  if ((fields & kFingerprint) != 0) out.field("fingerprint", side.fingerprint);
  if ((fields & kNotBefore) != 0) out.field("notbefore", certificate_time(c.not_before_s));
  if ((fields & kNotAfter) != 0) out.field("notafter", certificate_time(c.not_after_s));
}

void certificate_bytes(const Side& side, bool leaf, bool chain, JsonWriter& out) {
  if (side.chain.empty()) return;
  if (leaf) {
    out.key("certificate");
    out.base64(as_bytes(side.chain.front()));
  }
  if (!chain) return;
  out.open_array("chain");
  for (const std::string& der : side.chain) out.base64(as_bytes(der));
  out.close_array();
}

void ja3_object(std::string_view key, const std::string& hash, const std::string& text,
                JsonWriter& out) {
  if (text.empty()) return;
  out.open_object(key);
  out.field("hash", hash);
  out.field("string", text);
  out.close_object();
}

void numbers(std::string_view key, const std::vector<uint16_t>& values, JsonWriter& out) {
  if (values.empty()) return;
  out.open_array(key);
  for (const uint16_t v : values) {
    if (!is_grease(v)) out.number(uint64_t{v});
  }
  out.close_array();
}

void handshakes(const Transaction& tx, uint32_t fields, JsonWriter& out) {
  if ((fields & kClientHandshake) != 0 && tx.client().has_hello) {
    out.open_object("client_handshake");
    out.field("version", version_name(tx.client_hello.offered_version()));
    numbers("ciphers", tx.client_hello.ciphers, out);
    numbers("exts", tx.client_hello.extensions, out);
    numbers("sig_algs", tx.client_hello.signature_algorithms, out);
    out.close_object();
  }
  if ((fields & kServerHandshake) != 0 && tx.server().has_hello) {
    out.open_object("server_handshake");
    out.field("version", version_name(tx.server().version));
    out.field("cipher", tx.server_hello.cipher);
    numbers("exts", tx.server_hello.extensions, out);
    out.close_object();
  }
}

void write(const Transaction& tx, uint32_t fields, JsonWriter& out) {
  out.open_object("tls");
  leaf_fields(tx.server(), fields, out);
  // A ticket or session id was offered and the server sent no certificate: it took it.
  if ((fields & kSessionResumed) != 0 && tx.session_resumed && tx.server().leaf == nullptr &&
      tx.server().has_hello && !tx.log_without_certificate) {
    out.field("session_resumed", true);
  }
  if ((fields & kSni) != 0 && tx.client_hello.has_sni) out.field("sni", tx.client_hello.sni);
  if ((fields & kVersion) != 0) out.field("version", version_name(tx.server().version));
  certificate_bytes(tx.server(), (fields & kCertificate) != 0, (fields & kChain) != 0, out);
  if ((fields & kJa3) != 0 && tx.config.ja3) ja3_object("ja3", tx.ja3_hash(), tx.ja3(), out);
  if ((fields & kJa3s) != 0 && tx.config.ja3) ja3_object("ja3s", tx.ja3s_hash(), tx.ja3s(), out);
  if ((fields & kJa4) != 0 && tx.config.ja4 && !tx.ja4().empty()) out.field("ja4", tx.ja4());
  if ((fields & kClientAlpns) != 0) names("client_alpns", tx.client_hello.alpns, out);
  if ((fields & kServerAlpns) != 0) names("server_alpns", tx.server_hello.alpns, out);
  if ((fields & kClient) != 0 && tx.client().leaf != nullptr) {
    out.open_object("client");
    leaf_fields(
        tx.client(),
        kSubject | kIssuer | kSerial | kFingerprint | kNotBefore | kNotAfter | kAlternativeNames,
        out);
    certificate_bytes(tx.client(), (fields & kClientCertificate) != 0, (fields & kClientChain) != 0,
                      out);
    out.close_object();
  }
  handshakes(tx, fields, out);
  if (!tx.from_protocol.empty()) out.field("from_proto", tx.from_protocol);
  out.close_object();
}

}  // namespace

bool log_tls(const applayer::Transaction& base, const LogContext& context, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  const uint32_t fields = fields_of(context);
  const bool resumed = tx.session_resumed && (fields & kSessionResumed) != 0;
  if (tx.server().leaf == nullptr && !resumed && !tx.log_without_certificate) return false;
  write(tx, fields, out);
  return true;
}

bool alert_tls(const applayer::Transaction& tx, const LogContext&, JsonWriter& out) {
  write(static_cast<const Transaction&>(tx), kExtended | kSessionResumed, out);
  return true;
}

}  // namespace vong::tls
