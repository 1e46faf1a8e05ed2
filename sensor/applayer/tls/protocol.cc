// TLS as a table: buffers, numbers, events, detection.
#include <array>

#include "base/strings.h"
#include "sensor/applayer/tls/parser.h"

namespace vong::tls {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ProbePattern;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }
const Side& side_of(const Tx& tx, Direction d) {
  return of(tx).sides[static_cast<size_t>(index(d))];
}

BufferView text(const std::string& s) { return s.empty() ? BufferView::none() : BufferView::of(s); }

// ---------------------------------------------------------------- buffers

BufferView sni(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return of(tx).client_hello.has_sni ? BufferView::of(of(tx).client_hello.sni) : BufferView::none();
}

template <std::string Certificate::*kField>
BufferView leaf_text(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  const Side& s = side_of(tx, d);
  return s.leaf != nullptr ? BufferView::of((*s.leaf).*kField) : BufferView::none();
}

BufferView cert_fingerprint(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  return text(side_of(tx, d).fingerprint);
}

BufferView certificate(const Tx& tx, Direction d, uint32_t i, BufferScratch&) {
  const Side& s = side_of(tx, d);
  return i < s.chain.size() ? BufferView::of(s.chain[i]) : BufferView::none();
}

BufferView alternative_name(const Tx& tx, Direction d, uint32_t i, BufferScratch&) {
  const Side& s = side_of(tx, d);
  if (s.leaf == nullptr || i >= s.leaf->alternative_names.size()) return BufferView::none();
  return BufferView::of(s.leaf->alternative_names[i]);
}

BufferView alpn(const Tx& tx, Direction d, uint32_t i, BufferScratch&) {
  const auto& names =
      d == Direction::kToServer ? of(tx).client_hello.alpns : of(tx).server_hello.alpns;
  return i < names.size() ? BufferView::of(names[i]) : BufferView::none();
}

template <size_t kFrom, size_t kSize>
BufferView random_part(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  if (!side_of(tx, d).has_hello) return BufferView::none();
  const auto& random =
      d == Direction::kToServer ? of(tx).client_hello.random : of(tx).server_hello.random;
  return BufferView::of(Bytes(random).subspan(kFrom, kSize));
}

BufferView ja3_text(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return text(of(tx).ja3());
}
BufferView ja3_hash(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return text(of(tx).ja3_hash());
}
BufferView ja3s_text(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return text(of(tx).ja3s());
}
BufferView ja3s_hash(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return text(of(tx).ja3s_hash());
}
BufferView ja4_hash(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return text(of(tx).ja4());
}

constexpr BufferDef buffer(std::string_view name, std::string_view alias, uint8_t client,
                           uint8_t server, applayer::BufferGetter get, bool multi,
                           std::string_view help) {
  return {.name = name,
          .alias = alias,
          .modifier = {},
          .to_server_progress = client,
          .to_client_progress = server,
          .get = get,
          .multi = multi,
          .help = help};
}

constexpr std::array kBuffers = {
    buffer("tls.sni", "tls_sni", kClientHelloDone, kNever, sni, false,
           "server name of the client's hello"),
    buffer("tls.cert_subject", "tls_cert_subject", kClientCertDone, kServerCertDone,
           leaf_text<&Certificate::subject>, false, "subject of the certificate"),
    buffer("tls.cert_issuer", "tls_cert_issuer", kClientCertDone, kServerCertDone,
           leaf_text<&Certificate::issuer>, false, "issuer of the certificate"),
    buffer("tls.cert_serial", "tls_cert_serial", kClientCertDone, kServerCertDone,
           leaf_text<&Certificate::serial>, false,
           "serial number of the certificate, as 0A:1B:..."),
    buffer("tls.cert_fingerprint", "tls_cert_fingerprint", kClientCertDone, kServerCertDone,
           cert_fingerprint, false, "SHA-1 of the certificate, as 0a:1b:..."),
    buffer("tls.certs", "", kClientCertDone, kServerCertDone, certificate, true,
           "each certificate of the chain, as DER"),
    buffer("tls.subjectaltname", "", kClientCertDone, kServerCertDone, alternative_name, true,
           "alternative names of the certificate"),
    buffer("tls.alpn", "", kClientHelloDone, kServerHelloSeen, alpn, true,
           "application protocols of the hello"),
    buffer("tls.random", "", kClientHelloDone, kServerHelloSeen, random_part<0, 32>, false,
           "random bytes of the hello"),
    buffer("tls.random_time", "", kClientHelloDone, kServerHelloSeen, random_part<0, 4>, false,
           "first four random bytes of the hello"),
    buffer("tls.random_bytes", "", kClientHelloDone, kServerHelloSeen, random_part<4, 28>, false,
           "last 28 random bytes of the hello"),
    buffer("ja3.hash", "ja3_hash", kClientHelloDone, kNever, ja3_hash, false,
           "MD5 of the client's JA3 fingerprint"),
    buffer("ja3.string", "ja3_string", kClientHelloDone, kNever, ja3_text, false,
           "the client's JA3 fingerprint"),
    buffer("ja3s.hash", "", kNever, kServerHelloSeen, ja3s_hash, false,
           "MD5 of the server's JA3S fingerprint"),
    buffer("ja3s.string", "", kNever, kServerHelloSeen, ja3s_text, false,
           "the server's JA3S fingerprint"),
    buffer("ja4.hash", "", kClientHelloDone, kNever, ja4_hash, false,
           "the client's JA4 fingerprint"),
};

std::optional<uint64_t> chain_length(const Tx& tx, Direction d, uint32_t i) {
  if (i > 0) return std::nullopt;
  return side_of(tx, d).chain.size();
}

constexpr std::array kNumbers = {
    NumberDef{.name = "tls.cert_chain_len",
              .alias = {},
              .to_server_progress = kNever,
              .to_client_progress = kServerCertDone,
              .get = chain_length,
              .values = {},
              .bits = 32,
              .help = "certificates in the server's chain"},
};

// ---------------------------------------------------------------- events and detection

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"invalid_sslv2_header", ""},
    {"invalid_tls_header", ""},
    {"invalid_record_version", ""},
    {"invalid_record_type", ""},
    {"invalid_record_length", ""},
    {"invalid_handshake_message", ""},
    {"handshake_invalid_length", ""},
    {"heartbeat_message", ""},
    {"invalid_heartbeat_message", ""},
    {"overflow_heartbeat_message", ""},
    {"dataleak_heartbeat_mismatch", ""},
    {"multiple_sni_extensions", ""},
    {"invalid_sni_type", ""},
    {"invalid_sni_length", ""},
    {"too_many_records_in_packet", ""},
    {"invalid_certificate", ""},
    {"certificate_invalid_length", ""},
    {"certificate_invalid_version", ""},
    {"certificate_invalid_serial", ""},
    {"certificate_invalid_algorithmidentifier", ""},
    {"certificate_invalid_x509name", ""},
    {"certificate_invalid_date", ""},
    {"certificate_invalid_extensions", ""},
    {"certificate_invalid_der", ""},
    {"certificate_invalid_subject", ""},
    {"certificate_invalid_issuer", ""},
    {"certificate_invalid_validity", ""},
    {"error_message_encountered", ""},
    {"invalid_ssl_record", ""},
}};

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "tls",
              .to_server_progress = kClientHandshakeDone,
              .to_client_progress = kServerHandshakeDone,
              .direction = Direction::kToServer,
              .log = log_tls},
};

using namespace std::string_view_literals;

// First bytes of a record that opens a session, by version; the client may also open with an SSL 2
// hello. One that offers a newer version is known on the service's port only.
constexpr ProbePattern first(std::string_view bytes, Direction d) {
  return {.bytes = bytes, .direction = d};
}
constexpr ProbePattern ssl2(std::string_view bytes) {
  return {.bytes = bytes, .at = 2, .direction = Direction::kToServer};
}

constexpr auto kTs = Direction::kToServer, kTc = Direction::kToClient;
constexpr std::array kPatterns = {
    first("\x16\x03\x00"sv, kTs), first("\x16\x03\x01"sv, kTs), first("\x16\x03\x02"sv, kTs),
    first("\x16\x03\x03"sv, kTs), ssl2("\x01\x00\x02"sv),
    first("\x15\x03\x00"sv, kTc), first("\x15\x03\x01"sv, kTc), first("\x15\x03\x02"sv, kTc),
    first("\x15\x03\x03"sv, kTc), first("\x16\x03\x00"sv, kTc), first("\x16\x03\x01"sv, kTc),
    first("\x16\x03\x02"sv, kTc), first("\x16\x03\x03"sv, kTc), first("\x17\x03\x00"sv, kTc),
    first("\x17\x03\x01"sv, kTc), first("\x17\x03\x02"sv, kTc), first("\x17\x03\x03"sv, kTc),
};

// On the service's port an SSL 2 hello is enough.
ProbeVerdict probe(Direction d, Bytes data) {
  if (d != Direction::kToServer) return ProbeVerdict::kNo;
  if (data.size() < 3) return ProbeVerdict::kMoreData;
  return (data[0] & 0x80) != 0 && data[2] == 1 ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

constexpr std::array<uint16_t, 1> kPorts = {443};

constexpr std::string_view kFrames[] = {"pdu",       "hdr",      "data",    "alert",
                                        "heartbeat", "ssl2.hdr", "ssl2.pdu"};  // by FrameKind

std::shared_ptr<const void> configure(const Settings& s) {
  auto config = std::make_shared<Config>();
  const auto wanted = [&](std::string_view name) {
    const std::string_view v =
        s.text("app-layer.protocols.tls." + std::string(name) + "-fingerprints", "auto");
    return v == "auto" ? s.flag("rules.need." + std::string(name), false)
                       : parse_flag(v).value_or(false);
  };
  config->ja3 = wanted("ja3");
  config->ja4 = wanted("ja4");
  const std::string_view handling =
      s.text("app-layer.protocols.tls.encryption-handling",
             s.text("app-layer.protocols.tls.encrypt-handling", "track-only"));
  if (handling == "bypass") config->encrypted = Config::Encrypted::kBypass;
  if (handling == "full") config->encrypted = Config::Encrypted::kFull;
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<TlsParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                       : kDefault);
}

}  // namespace

const ProtocolDef kTlsProtocol = {
    .id = AppProto::kTls,
    .name = "tls",
    .rule_alias = "ssl",
    .probe = {.tcp = true,
              .udp = false,
              .patterns = kPatterns,
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 3},
    .complete = {kClientFinished, kServerFinished},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = matchers(),
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_tls,
    .frames = kFrames,
};

}  // namespace vong::tls
