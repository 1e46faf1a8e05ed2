// TLS 1.0 to 1.3 and SSL 2 and 3 as far as they are in the clear: records, handshake messages put
// together over records, hellos, certificate chains, heartbeats. A flow is one transaction; its
// progress says how far the handshake is.
//
// Record (RFC 8446 section 5.1): type(1) version(2) length(2) fragment. Handshake message: type(1)
// length(3) body.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/tls/certificate.h"
#include "sensor/applayer/tls/hello.h"

namespace vong::tls {

enum ClientProgress : uint8_t {
  kClientStart,
  kClientHelloDone,
  kClientCertDone,
  kClientHandshakeDone,
  kClientFinished
};
enum ServerProgress : uint8_t {
  kServerStart,
  kServerHelloSeen,
  kServerCertDone,
  kServerHelloDone,
  kServerHandshakeDone,
  kServerFinished
};

enum Event : applayer::EventId {
  kInvalidSslv2Header,
  kInvalidTlsHeader,
  kInvalidRecordVersion,
  kInvalidRecordType,
  kInvalidRecordLength,
  kInvalidHandshakeMessage,
  kHandshakeInvalidLength,
  kHeartbeatMessage,
  kInvalidHeartbeatMessage,
  kOverflowHeartbeatMessage,
  kDataleakHeartbeatMismatch,
  kMultipleSniExtensions,
  kInvalidSniType,
  kInvalidSniLength,
  kTooManyRecordsInPacket,
  kInvalidCertificate,
  kCertificateInvalidLength,
  kCertificateInvalidVersion,
  kCertificateInvalidSerial,
  kCertificateInvalidAlgorithmIdentifier,
  kCertificateInvalidX509Name,
  kCertificateInvalidDate,
  kCertificateInvalidExtensions,
  kCertificateInvalidDer,
  kCertificateInvalidSubject,
  kCertificateInvalidIssuer,
  kCertificateInvalidValidity,
  kErrorMessageEncountered,
  kInvalidSslRecord,
  kEventCount
};

// Units of the stream that rules and records can ask for: a record whole, its five bytes of header, what it carries, and what alerts and
// heartbeats carry by names of their own. SSL 2 has headers of two or three bytes.
enum FrameKind : uint8_t {
  kFramePdu,
  kFrameHeader,
  kFrameData,
  kFrameAlert,
  kFrameHeartbeat,
  kFrameSsl2Header,
  kFrameSsl2Pdu,
};

// What the configuration says; immutable, shared.
struct Config {
  bool ja3 = false, ja4 = false;  // fingerprints appear in records
  // What happens once a session is encrypted. Track: records are still followed. Bypass: nothing is
  // looked at any more. Full: as before, raw content rules look at the encrypted bytes too.
  enum class Encrypted : uint8_t { kTrack, kBypass, kFull } encrypted = Encrypted::kTrack;
};

// One side of the session.
struct Side {
  uint16_t version = 0;  // of the hello, or of the record while there is none
  bool has_hello = false;
  std::vector<std::string> chain;     // certificates as they came, leaf first
  std::unique_ptr<Certificate> leaf;  // null: none, or not readable
  std::string fingerprint;            // SHA-1 of the leaf
};

struct Transaction : applayer::Transaction {
  Config config;
  ClientHello client_hello;
  ServerHello server_hello;
  std::array<Side, kDirections> sides;  // by the direction of what they sent: [0] the client's
  bool client_key_exchange = false, server_key_exchange = false;
  bool session_resumed = false;          // offered; holds when no certificate came
  bool log_without_certificate = false;  // TLS 1.3: certificates are encrypted
  std::string_view from_protocol;        // STARTTLS and the like: what the flow spoke before
  Timestamp now;                         // of the newest packet

  [[nodiscard]] Side& client() { return sides[0]; }
  [[nodiscard]] Side& server() { return sides[1]; }
  [[nodiscard]] const Side& client() const { return sides[0]; }
  [[nodiscard]] const Side& server() const { return sides[1]; }

  // Made when first asked for.
  [[nodiscard]] const std::string& ja3() const;
  [[nodiscard]] const std::string& ja3_hash() const;
  [[nodiscard]] const std::string& ja3s() const;
  [[nodiscard]] const std::string& ja3s_hash() const;
  [[nodiscard]] const std::string& ja4() const;

 private:
  mutable std::string ja3_, ja3_hash_, ja3s_, ja3s_hash_, ja4_;
};

class TlsParser : public applayer::Parser {
 public:
  explicit TlsParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;
  void upgraded_from(const applayer::Parser& old, applayer::AppProto proto) override;

 private:
  // Where one direction stands in its records.
  struct Stream {
    uint8_t type = 0;        // of the record that is being read
    size_t record_left = 0;  // of its fragment
    size_t record_size = 0;
    bool first_fragment = false;  // nothing of this fragment was read yet
    std::string handshake;        // begin of a message that is not complete
    size_t skip_handshake = 0;    // of a message that is too large
    bool records_seen = false;
  };
  enum class Step : uint8_t { kOk, kMore, kError };

  Transaction& tx();
  Step record(Direction d, Bytes data, size_t& used, size_t& needed);
  Step header(Direction d, Bytes data, size_t& used, size_t& needed);
  Step ssl2_record(Direction d, Bytes data, size_t& used, size_t& needed);
  Step fragment(Direction d, Bytes data, size_t& used, size_t& needed);
  void handshake_bytes(Direction d, Bytes data);
  void handshake_message(Direction d, uint8_t type, Bytes body);
  void client_hello(Bytes body);
  void server_hello(Bytes body);
  void certificates(Direction d, Bytes body);
  Step heartbeat(Direction d, Bytes data, bool whole);
  [[nodiscard]] bool handshake_encrypted() const;
  [[nodiscard]] bool is_encrypted() const;
  void advance(Direction d, uint8_t progress);
  void note_hello_issues(uint8_t issues);
  void finish_round();
  void note_frames(Direction d);

  const Config& config_;
  applayer::AppProto came_from_{};
  // The flow's one transaction. The driver takes it away once it is complete, inspected and logged: then there is nothing left to learn.
  [[nodiscard]] bool over() const { return tx_ != nullptr && transactions.empty(); }
  Transaction* tx_ = nullptr;
  Stream streams_[kDirections];
  uint64_t offset_ = 0;         // in its direction, of the bytes that record() is shown
  bool change_cipher_ = false;  // seen from either side
  bool client_certificate_asked_ = false;
  bool encrypted_seen_[kDirections] = {false, false};
  // Heartbeats: who asked last, and how long the encrypted request was.
  bool heartbeat_open_ = false;
  Direction heartbeat_by_ = Direction::kToServer;
  size_t heartbeat_bytes_ = 0;
};

// "TLS 1.2", "TLSv1", "SSLv3", "TLS 1.3 draft-18" ...: as EVE's tls.version has them.
[[nodiscard]] std::string version_name(uint16_t version);

extern const applayer::ProtocolDef kTlsProtocol;

[[nodiscard]] bool log_tls(const applayer::Transaction& tx, const applayer::LogContext& context,
                           JsonWriter& out);
[[nodiscard]] bool alert_tls(const applayer::Transaction& tx, const applayer::LogContext& context,
                             JsonWriter& out);
[[nodiscard]] std::span<const applayer::MatcherDef> matchers();

}  // namespace vong::tls
