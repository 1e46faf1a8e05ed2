#include "sensor/applayer/tls/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "fmt/format.h"
#include "sensor/applayer/core/digest.h"
#include "sensor/applayer/tls/fingerprint.h"
#include "sensor/applayer/tls/limits.h"

namespace vong::tls {

using applayer::Input;
using applayer::ParseResult;

namespace {

enum ContentType : uint8_t {
  kChangeCipherSpec = 20,
  kAlert = 21,
  kHandshake = 22,
  kApplicationData = 23,
  kHeartbeat = 24
};
enum HandshakeType : uint8_t {
  kClientHelloMessage = 1,
  kServerHelloMessage = 2,
  kCertificateMessage = 11,
  kServerKeyExchange = 12,
  kCertificateRequest = 13,
  kServerHelloDoneMessage = 14,
  kClientKeyExchange = 16,
};

constexpr uint16_t kSsl2 = 0x0200, kTls12 = 0x0303, kTls13 = 0x0304;
constexpr uint16_t kTls13EarlyDraft = 0x7f01;  // stands for all drafts before 16
constexpr size_t kHandshakeHeaderBytes = 4;
constexpr size_t kHeartbeatHeaderBytes = 3;
constexpr size_t kHeartbeatPaddingMin = 16;  // RFC 6520 section 4

bool is_record_version(uint16_t v) {
  return (v >= kSsl2 && v <= kTls13) || v >> 8 == 0x7f || v >> 8 == 0xfb;
}

// Drafts of TLS 1.3 that put their number into the version field.
bool is_tls13(uint16_t v) { return v == kTls13 || v >> 8 == 0x7f || v >> 8 == 0xfb; }

// Of the hello's own version field: from draft 22 on it says TLS 1.2, whatever is spoken; 1.3
// itself stood there in the first drafts.
uint16_t normal_version(uint16_t v) {
  return v == kTls13 || (v >= 0x7f01 && v < 0x7f10) ? kTls13EarlyDraft : v;
}

Event event_of(CertificateError e) {
  switch (e) {
    case CertificateError::kInvalidDer:
      return kCertificateInvalidDer;
    case CertificateError::kInvalidLength:
      return kCertificateInvalidLength;
    case CertificateError::kInvalidVersion:
      return kCertificateInvalidVersion;
    case CertificateError::kInvalidSerial:
      return kCertificateInvalidSerial;
    case CertificateError::kInvalidAlgorithm:
      return kCertificateInvalidAlgorithmIdentifier;
    case CertificateError::kInvalidName:
      return kCertificateInvalidX509Name;
    case CertificateError::kInvalidDate:
      return kCertificateInvalidDate;
    case CertificateError::kInvalidExtensions:
      return kCertificateInvalidExtensions;
    default:
      return kInvalidCertificate;
  }
}

}  // namespace

std::string version_name(uint16_t v) {
  switch (v) {
    case 0:
      return "UNDETERMINED";
    case 0x0002:
    case kSsl2:
      return "SSLv2";
    case 0x0300:
      return "SSLv3";
    case 0x0301:
      return "TLSv1";
    case 0x0302:
      return "TLS 1.1";
    case kTls12:
      return "TLS 1.2";
    case kTls13:
      return "TLS 1.3";
    case kTls13EarlyDraft:
      return "TLS 1.3 draft-<16";
    case 0xfb17:
      return "TLS 1.3 draft-23-fb";
    case 0xfb1a:
      return "TLS 1.3 draft-26-fb";
    default:
      break;
  }
  if (v >> 8 == 0x7f) return fmt::format("TLS 1.3 draft-{}", v & 0xff);
  return fmt::format("0x{:04x}", v);
}

// ---------------------------------------------------------------- fingerprints

const std::string& Transaction::ja3() const {
  if (ja3_.empty() && sides[0].has_hello) ja3_ = ja3_string(client_hello);
  return ja3_;
}
const std::string& Transaction::ja3_hash() const {
  if (ja3_hash_.empty() && !ja3().empty()) ja3_hash_ = applayer::md5_hex(as_bytes(ja3()));
  return ja3_hash_;
}
const std::string& Transaction::ja3s() const {
  if (ja3s_.empty() && sides[1].has_hello) ja3s_ = ja3s_string(server_hello);
  return ja3s_;
}
const std::string& Transaction::ja3s_hash() const {
  if (ja3s_hash_.empty() && !ja3s().empty()) ja3s_hash_ = applayer::md5_hex(as_bytes(ja3s()));
  return ja3s_hash_;
}
const std::string& Transaction::ja4() const {
  if (ja4_.empty() && sides[0].has_hello) ja4_ = tls::ja4(client_hello, 't');
  return ja4_;
}

// ---------------------------------------------------------------- the stream

Transaction& TlsParser::tx() {
  if (tx_ == nullptr) {
    auto made = std::make_unique<Transaction>();
    tx_ = made.get();
    tx_->config = config_;
    if (came_from_ != applayer::AppProto::kUnknown)
      tx_->from_protocol = applayer::name_of(came_from_);
    add(std::move(made));
  }
  return *tx_;
}

void TlsParser::upgraded_from(const applayer::Parser&, applayer::AppProto proto) {
  came_from_ = proto;
}

void TlsParser::advance(Direction d, uint8_t progress) {
  uint8_t& p = tx().progress[static_cast<size_t>(index(d))];
  if (progress <= p) return;
  p = progress;
  tx().updated[static_cast<size_t>(index(d))] = true;
}

ParseResult TlsParser::parse(Direction d, const Input& in) {
  if (over()) return ParseResult::done(in.data.size());
  if (in.data.empty() && tx_ == nullptr) return ParseResult::ok(0);
  tx().now = in.ts;
  size_t consumed = 0, needed = 0;
  Step step = Step::kOk;
  while (step == Step::kOk && consumed < in.data.size()) {
    size_t used = 0;
    offset_ = in.offset + consumed;
    step = record(d, in.data.subspan(consumed), used, needed);
    consumed += used;
  }
  finish_round();
  if (in.end)
    advance(d, d == Direction::kToServer ? uint8_t{kClientFinished} : uint8_t{kServerFinished});
  if (step == Step::kError) {
    tx().add_event(kInvalidSslRecord);
    return ParseResult::error();
  }
  if (config_.encrypted == Config::Encrypted::kBypass && is_encrypted()) {
    bypass_flow = true;
    return ParseResult::done(in.data.size());
  }
  if (config_.encrypted != Config::Encrypted::kFull && (encrypted_seen_[0] || encrypted_seen_[1])) {
    no_payload_inspection = true;
  }
  return ParseResult::ok(consumed, consumed < in.data.size() ? needed : 0);
}

// Both handshakes are over, and one side has sent what they were for.
bool TlsParser::is_encrypted() const {
  return (encrypted_seen_[0] || encrypted_seen_[1]) && tx_->progress[0] >= kClientHandshakeDone &&
         tx_->progress[1] >= kServerHandshakeDone;
}

TlsParser::Step TlsParser::record(Direction d, Bytes data, size_t& used, size_t& needed) {
  Stream& s = streams_[index(d)];
  if (s.record_left > 0) return fragment(d, data, used, needed);
  if ((data[0] & 0xc0) != 0) return ssl2_record(d, data, used, needed);
  return header(d, data, used, needed);
}

TlsParser::Step TlsParser::header(Direction d, Bytes data, size_t& used, size_t& needed) {
  if (data.size() < kRecordHeaderBytes) {
    needed = kRecordHeaderBytes;
    return Step::kMore;
  }
  ByteReader in(data);
  Stream& s = streams_[index(d)];
  s.type = in.u8();
  const uint16_t version = in.u16();
  s.record_size = in.u16();
  if (s.type < kChangeCipherSpec || s.type > kHeartbeat) {
    tx().add_event(kInvalidRecordType);
    return Step::kError;
  }
  if (!is_record_version(version)) {
    tx().add_event(kInvalidRecordVersion);
    return Step::kError;
  }
  if (s.record_size > kMaxRecordBytes) {
    tx().add_event(kInvalidRecordLength);
    return Step::kError;
  }
  // Only application data may be empty (RFC 8446 5.1, RFC 5246 6.2.1).
  if (s.record_size == 0 && s.type != kApplicationData) tx().add_event(kInvalidRecordLength);
  Side& side = tx().sides[static_cast<size_t>(index(d))];
  if (side.version == 0) side.version = version;
  s.records_seen = true;
  s.record_left = s.record_size;
  s.first_fragment = true;
  used = kRecordHeaderBytes;
  if (frames != nullptr) note_frames(d);
  const bool client = d == Direction::kToServer;
  if (s.type == kChangeCipherSpec || s.type == kApplicationData) {
    advance(d, client ? uint8_t{kClientHandshakeDone} : uint8_t{kServerHandshakeDone});
    if (s.type == kChangeCipherSpec)
      change_cipher_ = true;
    else
      encrypted_seen_[index(d)] = true;
  }
  return Step::kOk;
}

void TlsParser::note_frames(Direction d) {
  const Stream& s = streams_[index(d)];
  const auto size = static_cast<int64_t>(s.record_size);
  const uint64_t data = offset_ + kRecordHeaderBytes;
  frames->add(d, kFramePdu, offset_, static_cast<int64_t>(kRecordHeaderBytes) + size);
  frames->add(d, kFrameHeader, offset_, kRecordHeaderBytes);
  if (size == 0) return;
  frames->add(d, kFrameData, data, size);
  if (s.type == kAlert) frames->add(d, kFrameAlert, data, size);
  if (s.type == kHeartbeat) frames->add(d, kFrameHeartbeat, data, size);
}

// After either side's ChangeCipherSpec handshake messages are encrypted, except that a TLS 1.3
// client may send one for the sake of middle boxes before the server has said anything (RFC 8446
// appendix D.4).
bool TlsParser::handshake_encrypted() const {
  if (!change_cipher_) return false;
  const Transaction& t = *tx_;
  return !(t.client().has_hello && t.client_hello.offered_version() > kTls12 &&
           !t.server().has_hello);
}

TlsParser::Step TlsParser::fragment(Direction d, Bytes data, size_t& used, size_t& needed) {
  Stream& s = streams_[index(d)];
  if (s.type == kHeartbeat && s.first_fragment) {
    const size_t want = std::min(kHeartbeatHeaderBytes, s.record_left);
    if (data.size() < want) {
      needed = want;
      return Step::kMore;
    }
    if (heartbeat(d, data.first(want), data.size() >= s.record_left) == Step::kError) return Step::kError;
  }
  s.first_fragment = false;
  used = std::min(s.record_left, data.size());
  s.record_left -= used;
  if (s.type == kHandshake && !handshake_encrypted()) handshake_bytes(d, data.first(used));
  return Step::kOk;
}

void TlsParser::handshake_bytes(Direction d, Bytes data) {
  Stream& s = streams_[index(d)];
  const size_t skip = std::min(s.skip_handshake, data.size());
  s.skip_handshake -= skip;
  data = data.subspan(skip);
  if (data.empty()) return;
  // Messages that lie whole in the fragment are read in place.
  std::string joined;
  if (!s.handshake.empty()) {
    // Until the message is complete nothing is looked at: the time stays linear.
    s.handshake.append(as_text(data));
    ByteReader in(as_bytes(s.handshake));
    in.skip(1);
    const size_t size = in.u24();
    if (!in.ok() || s.handshake.size() < kHandshakeHeaderBytes + size) {
      if (in.ok() && size > kMaxHandshakeBytes) {
        tx().add_event(kInvalidHandshakeMessage);
        s.skip_handshake = kHandshakeHeaderBytes + size - s.handshake.size();
        s.handshake.clear();
      }
      return;
    }
    joined.swap(s.handshake);
    data = as_bytes(joined);
  }
  ByteReader in(data);
  while (!in.empty()) {
    ByteReader at = in;
    const uint8_t type = at.u8();
    const size_t size = at.u24();
    if (at.ok() && at.remaining() >= size) {
      const Bytes body = at.bytes(size);
      in = at;
      if (!handshake_encrypted()) handshake_message(d, type, body);
      continue;
    }
    if (at.ok() && size > kMaxHandshakeBytes) {
      tx().add_event(kInvalidHandshakeMessage);
      s.skip_handshake = size - at.remaining();
    } else {
      s.handshake = as_text(in.peek());
    }
    return;
  }
}

void TlsParser::handshake_message(Direction d, uint8_t type, Bytes body) {
  const bool client = d == Direction::kToServer;
  switch (type) {
    case kClientHelloMessage:
      if (client) client_hello(body);
      break;
    case kServerHelloMessage:
      if (!client) server_hello(body);
      break;
    case kCertificateMessage:
      certificates(d, body);
      break;
    case kServerKeyExchange:
      tx().server_key_exchange = true;
      break;
    case kClientKeyExchange:
      tx().client_key_exchange = true;
      if (client) advance(d, kClientCertDone);
      break;
    case kCertificateRequest:
      if (!client) client_certificate_asked_ = true;
      break;
    case kServerHelloDoneMessage:
      if (!client) advance(d, kServerHelloDone);
      break;
    default:
      break;
  }
}

void TlsParser::note_hello_issues(uint8_t issues) {
  if ((issues & kIssueLength) != 0) tx().add_event(kHandshakeInvalidLength);
  if ((issues & kIssueMultipleSni) != 0) tx().add_event(kMultipleSniExtensions);
  if ((issues & kIssueSniType) != 0) tx().add_event(kInvalidSniType);
  if ((issues & kIssueSniLength) != 0) tx().add_event(kInvalidSniLength);
}

void TlsParser::client_hello(Bytes body) {
  Transaction& t = tx();
  if (t.client().has_hello) return;  // after a HelloRetryRequest: the first one counts
  if (!parse_client_hello(body, t.client_hello)) {
    t.add_event(kHandshakeInvalidLength);
    t.client_hello = {};
    return;
  }
  note_hello_issues(t.client_hello.issues);
  t.client().has_hello = true;
  t.client().version = normal_version(t.client_hello.version);
  if (t.client_hello.has_ticket) t.session_resumed = true;
  advance(Direction::kToServer, kClientHelloDone);
}

void TlsParser::server_hello(Bytes body) {
  Transaction& t = tx();
  if (t.server().has_hello) return;
  if (!parse_server_hello(body, t.server_hello)) {
    t.add_event(kHandshakeInvalidLength);
    t.server_hello = {};
    return;
  }
  note_hello_issues(t.server_hello.issues);
  t.server().has_hello = true;
  const uint16_t chosen = t.server_hello.chosen_version();
  t.server().version = t.server_hello.selected_version != 0 ? chosen : normal_version(chosen);
  if (is_tls13(chosen)) t.log_without_certificate = true;
  if (!t.server_hello.session_id.empty() && t.server_hello.session_id == t.client_hello.session_id)
    t.session_resumed = true;
  advance(Direction::kToClient, kServerHelloSeen);
}

// Certificate ::= total(3) { length(3) DER }*   (TLS 1.2 and before; in 1.3 this message is
// encrypted)
void TlsParser::certificates(Direction d, Bytes body) {
  Transaction& t = tx();
  Side& side = t.sides[static_cast<size_t>(index(d))];
  ByteReader in(body);
  ByteReader list = in.sub(in.u24());
  if (!in.ok()) {
    t.add_event(kHandshakeInvalidLength);
    return;
  }
  bool first = side.chain.empty();
  while (!list.empty() && side.chain.size() < kMaxCertificates) {
    const Bytes der = list.bytes(list.u24());
    if (!list.ok()) {
      t.add_event(kInvalidCertificate);
      break;
    }
    if (der.empty()) continue;
    if (first) {
      auto leaf = std::make_unique<Certificate>();
      const CertificateError e = parse_certificate(der, *leaf);
      if (e == CertificateError::kNone) {
        side.leaf = std::move(leaf);
        side.fingerprint = applayer::sha1_colons(der);
      } else {
        t.add_event(event_of(e));
      }
      first = false;
    }
    side.chain.emplace_back(as_text(der));
  }
  advance(d, d == Direction::kToServer ? uint8_t{kClientCertDone} : uint8_t{kServerCertDone});
}

// Once the certificate that counts is known there is nothing more to wait for.
void TlsParser::finish_round() {
  if (tx_ == nullptr) return;
  const Side& side = client_certificate_asked_ ? tx_->client() : tx_->server();
  if (side.leaf == nullptr) return;
  advance(Direction::kToServer, kClientHandshakeDone);
  advance(Direction::kToClient, kServerHandshakeDone);
}

// RFC 6520; CVE-2014-0160: a request that claims more payload than its record holds makes a broken
// server leak its memory. Encrypted ones are compared by length: an answer longer than its question
// leaks too.
TlsParser::Step TlsParser::heartbeat(Direction d, Bytes data, bool whole) {
  if (data.size() < kHeartbeatHeaderBytes) return Step::kOk;
  const Stream& s = streams_[index(d)];
  ByteReader in(data);
  const uint8_t type = in.u8();
  const size_t payload = in.u16();
  if (!change_cipher_ && type != 1 && type != 2) {
    tx().add_event(kInvalidHeartbeatMessage);
    return Step::kError;
  }
  if (!heartbeat_open_) {
    heartbeat_open_ = true;
    heartbeat_by_ = d;
    if (change_cipher_) {
      heartbeat_bytes_ = s.record_size;
      return Step::kOk;
    }
    if (payload + kHeartbeatHeaderBytes > s.record_size) {
      tx().add_event(kOverflowHeartbeatMessage);
      return Step::kError;
    }
    // Of a record in pieces the reference was seen not to judge the padding.
    if (whole && s.record_size - payload - kHeartbeatHeaderBytes < kHeartbeatPaddingMin) {
      tx().add_event(kInvalidHeartbeatMessage);
      return Step::kError;
    }
    return Step::kOk;
  }
  if (heartbeat_by_ == d) {
    tx().add_event(kInvalidHeartbeatMessage);  // asked again before an answer
    return Step::kError;
  }
  heartbeat_open_ = false;
  const bool leak = change_cipher_ && heartbeat_bytes_ > 0 && heartbeat_bytes_ < s.record_size;
  heartbeat_bytes_ = 0;
  if (!leak) return Step::kOk;
  tx().add_event(kDataleakHeartbeatMismatch);
  return Step::kError;
}

// SSL 2: two or three bytes of header, then a message. Only hellos matter: a version 2 hello may
// open a TLS session (RFC 5246 appendix E.2).
TlsParser::Step TlsParser::ssl2_record(Direction d, Bytes data, size_t& used, size_t& needed) {
  ByteReader in(data);
  const bool padded = (data[0] & 0x80) == 0;
  const size_t size = in.u16() & (padded ? 0x3fff : 0x7fff);
  if (padded) in.skip(1);
  const uint8_t type = in.u8();
  if (!in.ok()) {
    needed = padded ? 4 : 3;
    return Step::kMore;
  }
  if (size == 0) {
    tx().add_event(kInvalidSslv2Header);
    return Step::kError;
  }
  const size_t total = size + (padded ? 3 : 2);
  if (data.size() < total) {
    needed = total;
    return Step::kMore;
  }
  used = total;
  if (frames != nullptr) {
    frames->add(d, kFrameSsl2Header, offset_, static_cast<int64_t>(total - size));
    frames->add(d, kFrameSsl2Pdu, offset_, static_cast<int64_t>(total));
  }
  Transaction& t = tx();
  Side& side = t.sides[static_cast<size_t>(index(d))];
  streams_[index(d)].records_seen = true;
  if (type == 0) t.add_event(kErrorMessageEncountered);
  if (type == 1 && d == Direction::kToServer) {
    const uint16_t version = in.u16();
    if (side.version == 0) side.version = version == 2 ? kSsl2 : version;
    advance(d, kClientHelloDone);
  } else if (type == 4 && d == Direction::kToClient) {
    side.version = kSsl2;
    advance(d, kServerHelloSeen);
  } else if (type > 8) {
    t.add_event(kInvalidSslv2Header);
    return Step::kError;
  }
  return Step::kOk;
}

bool TlsParser::gap(Direction d, uint64_t size) {
  if (over()) return true;
  Stream& s = streams_[index(d)];
  const bool encrypted = s.type == kApplicationData ||
                         (s.type == kHandshake && tx_ != nullptr && handshake_encrypted());
  if (!encrypted || s.record_left < size) return false;
  s.record_left -= size;  // it is all within a record that would only be counted
  return true;
}

void TlsParser::end() {
  if (tx_ == nullptr || over()) return;
  advance(Direction::kToServer, kClientFinished);
  advance(Direction::kToClient, kServerFinished);
}

}  // namespace vong::tls
