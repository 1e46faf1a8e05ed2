#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/json_writer.h"
#include "fmt/format.h"
#include "sensor/applayer/core/digest.h"
#include "sensor/applayer/tls/certificate.h"
#include "sensor/applayer/tls/fingerprint.h"
#include "sensor/applayer/tls/hello.h"
#include "sensor/applayer/tls/limits.h"
#include "sensor/applayer/tls/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::tls {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string u8(size_t v) { return {static_cast<char>(v)}; }
std::string u16(size_t v) { return u8(v >> 8) + u8(v & 0xff); }
std::string u24(size_t v) { return u8(v >> 16) + u16(v & 0xffff); }
std::string v8(const std::string& s) { return u8(s.size()) + s; }
std::string v16(const std::string& s) { return u16(s.size()) + s; }
std::string v24(const std::string& s) { return u24(s.size()) + s; }
std::string ext(size_t type, const std::string& body) { return u16(type) + v16(body); }

std::string unhex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

// Made for this test: openssl req -x509 -newkey ec ... -subj "/C=VN/O=Vong
// Test/CN=www.example.org/emailAddress=a@example.org"
const std::string kDer = unhex(
    "30820227308201cda0030201020203008a01300a06082a8648ce3d0403023059310b300906035504061302564e3112"
    "3010060355040a0c09566f6e672054657374"
    "3118301606035504030c0f7777772e6578616d706c652e6f7267311c301a06092a864886f70d010901160d61406578"
    "616d706c652e6f7267301e170d3236313132"
    "333031323133385a170d3336313132303031323133385a3059310b300906035504061302564e31123010060355040a"
    "0c09566f6e67205465737431183016060355"
    "04030c0f7777772e6578616d706c652e6f7267311c301a06092a864886f70d010901160d61406578616d706c652e6f"
    "72673059301306072a8648ce3d020106082a"
    "8648ce3d03010703420004b8bbe83f97fdd42be86e2f6b20ac90ed76b9c779679394f93be28a99b41eed6617836ec3"
    "1549ee729dc03dc4f66732d4d7b440a7fe49"
    "36f9507af711e0a8e0fda38183308180301d0603551d0e0416041428cf047893a32ec7f4eab4e78ca351e6019827de"
    "301f0603551d2304183016801428cf047893"
    "a32ec7f4eab4e78ca351e6019827de300f0603551d130101ff040530030101ff302d0603551d1104263024820f7777"
    "772e6578616d706c652e6f7267820b657861"
    "6d706c652e6f72678704c0000201300a06082a8648ce3d040302034800304502200965bd0f14c35b2fd37dfd567faa"
    "f8d5c5049ba748959b1c49f742e3c0f404c4"
    "022100a358fe547cb22963d16ac99a04a74b91adafab75839298b6cffbe0b7fb4c9084");

struct Client {
  int version = 0x0303;
  std::string session_id, sni = "www.example.org", extra;
  std::string alpn = v8("h2") + v8("http/1.1");
  std::string ciphers = u16(0x0a0a) + u16(0x1301) + u16(0xc02f);
  [[nodiscard]] std::string body() const {
    std::string e;
    if (!sni.empty()) e += ext(0, v16(u8(0) + v16(sni)));
    e += ext(10, v16(u16(29) + u16(23))) + ext(11, v8(u8(0))) +
         ext(13, v16(u16(0x0403) + u16(0x0804)));
    if (!alpn.empty()) e += ext(16, v16(alpn));
    e += extra;
    return u16(version) + std::string(32, 'r') + v8(session_id) + v16(ciphers) + v8(u8(0)) + v16(e);
  }
};

std::string server_body(int version, const std::string& session_id = "",
                        const std::string& extensions = "") {
  return u16(version) + std::string(32, 's') + v8(session_id) + u16(0xc02f) + u8(0) +
         v16(extensions);
}

std::string hs(int type, const std::string& body) { return u8(type) + v24(body); }
std::string rec(int type, const std::string& body, int version = 0x0303) {
  return u8(type) + u16(version) + v16(body);
}
std::string certs(const std::vector<std::string>& chain) {
  std::string list;
  for (const auto& c : chain) list += v24(c);
  return hs(11, v24(list));
}

const std::string kCcs = rec(20, "\x01");
const std::string kData = rec(23, std::string(40, 'x'));

Conversation tls12() {
  Conversation c{&kTlsProtocol};
  c.client(rec(22, hs(1, Client().body()), 0x0301));
  c.server(rec(22, hs(2, server_body(0x0303, "", ext(16, v16(v8("h2"))))) + certs({kDer, kDer}) +
                       hs(14, "")));
  c.client(rec(22, hs(16, "k")) + kCcs + rec(22, std::string(40, 'e')));
  c.server(kCcs + rec(22, std::string(40, 'e')));
  c.client(kData).server(kData);
  return c;
}

const Transaction& first(const applayer::contract::Outcome& o) {
  return static_cast<const Transaction&>(*o.transactions().at(0));
}

std::string record_of(const applayer::contract::Outcome& o, const Settings& options) {
  std::string json;
  JsonWriter out(json);
  out.open_object();
  if (!log_tls(first(o), {"tls", &options, Direction::kToServer}, out)) return "";
  out.close_object();
  return json;
}

Settings extended() {
  Settings s;
  s.set("extended", "yes");
  return s;
}

// ---------------------------------------------------------------- certificates

TEST(Certificate, FieldsInTheReferencesForm) {
  Certificate c;
  ASSERT_EQ(parse_certificate(as_bytes(kDer), c), CertificateError::kNone);
  EXPECT_EQ(c.subject, "C=VN, O=Vong Test, CN=www.example.org, Email=a@example.org");
  EXPECT_EQ(c.issuer, c.subject);
  EXPECT_EQ(c.serial, "00:8A:01");
  EXPECT_EQ(certificate_time(c.not_before_s), "2026-11-23T01:21:38");
  EXPECT_EQ(certificate_time(c.not_after_s), "2036-11-20T01:21:38");
  EXPECT_THAT(c.alternative_names, ElementsAre("www.example.org", "example.org", "192.0.2.1"));
  EXPECT_EQ(applayer::sha1_colons(as_bytes(kDer)),
            "ee:1c:7a:a6:3b:99:80:69:60:23:40:a6:25:83:50:84:5e:67:6c:4c");
}

TEST(Certificate, EveryTruncationIsAnError) {
  for (size_t n = 0; n < kDer.size(); ++n) {
    Certificate c;
    EXPECT_NE(parse_certificate(as_bytes(kDer).first(n), c), CertificateError::kNone) << n;
  }
}

TEST(Certificate, EveryFlippedByteIsHandled) {
  for (size_t n = 0; n < kDer.size(); ++n) {
    for (const int flip : {0xff, 0x80, 0x01}) {
      std::string bad = kDer;
      bad[n] = static_cast<char>(bad[n] ^ flip);
      Certificate c;
      (void)parse_certificate(as_bytes(bad), c);
      EXPECT_LT(c.subject.size(), kDer.size() * 8);
    }
  }
}

TEST(Certificate, ImpossibleDateHasItsOwnError) {
  std::string bad = kDer;
  bad.replace(bad.find("261123"), 6, "261399");
  Certificate c;
  EXPECT_EQ(parse_certificate(as_bytes(bad), c), CertificateError::kInvalidDate);
}

// ---------------------------------------------------------------- fingerprints

TEST(Fingerprint, GreaseIsLeftOut) {
  ClientHello h;
  ASSERT_TRUE(parse_client_hello(as_bytes(Client().body()), h));
  EXPECT_EQ(ja3_string(h), "771,4865-49199,0-10-11-13-16,29-23,0");
  EXPECT_TRUE(is_grease(0x3a3a));
  EXPECT_FALSE(is_grease(0x3a4a));
  EXPECT_EQ(ja4(h, 't').substr(0, 11), "t12d0205h2_");
}

TEST(Fingerprint, Ja4OfOddAlpnDoesNotFail) {
  for (const std::string& alpn :
       {std::string(1, '\0'), std::string("\xff\xfe"), std::string("\x0a\x0a"), std::string("a"),
        std::string("\xe4h")}) {
    Client c;
    c.alpn = v8(alpn);
    ClientHello h;
    ASSERT_TRUE(parse_client_hello(as_bytes(c.body()), h));
    EXPECT_EQ(ja4(h, 'q').size(), 36u);
  }
  Client c;
  c.alpn = v8(std::string("\xab\xcd"));
  ClientHello h;
  ASSERT_TRUE(parse_client_hello(as_bytes(c.body()), h));
  EXPECT_EQ(ja4(h, 't').substr(8, 2), "ad");
}

TEST(Fingerprint, Ja4OfNothing) {
  EXPECT_EQ(ja4(ClientHello(), 't'), "t00i000000_000000000000_000000000000");
}

// ---------------------------------------------------------------- sessions

TEST(TlsParser, ContractOfAWholeSession) { applayer::contract::check_contract(tls12()); }

TEST(TlsParser, RecordOfASession) {
  const auto o = run(tls12());
  const std::string json = record_of(o, extended());
  EXPECT_THAT(
      json, HasSubstr(R"("subject":"C=VN, O=Vong Test, CN=www.example.org, Email=a@example.org")"));
  EXPECT_THAT(json, HasSubstr(R"("sni":"www.example.org","version":"TLS 1.2")"));
  EXPECT_THAT(json, HasSubstr(R"("client_alpns":["h2","http/1.1"],"server_alpns":["h2"])"));
  EXPECT_THAT(json, Not(HasSubstr("ja3")));
  EXPECT_THAT(record_of(o, Settings()), Not(HasSubstr("sni")));
}

TEST(TlsParser, FingerprintsAreLoggedWhenAskedFor) {
  Conversation c = tls12();
  c.settings.set("app-layer.protocols.tls.ja3-fingerprints", "yes");
  c.settings.set("app-layer.protocols.tls.ja4-fingerprints", "auto");
  c.settings.set("rules.need.ja4", "yes");
  const std::string json = record_of(run(c), extended());
  EXPECT_THAT(json, HasSubstr(R"("ja3":{"hash":")"));
  EXPECT_THAT(json, HasSubstr(R"("ja4":"t12d0205h2_)"));
}

TEST(TlsParser, CustomListReplacesTheDefault) {
  Settings s = extended();
  s.set("custom.0", "sni");
  s.set("custom.1", "chain");
  const std::string json = record_of(run(tls12()), s);
  EXPECT_THAT(json, HasSubstr(R"({"tls":{"sni":"www.example.org","chain":["MII)"));
  EXPECT_THAT(json, Not(HasSubstr("subject")));
}

TEST(TlsParser, IsLoggedOnceTheServersCertificateIsKnown) {
  Conversation c{&kTlsProtocol};
  c.steps = tls12().steps;
  c.steps.resize(2);
  Config config;
  TlsParser p(config);
  for (const auto& s : c.steps) {
    applayer::Input in;
    in.data = as_bytes(s.bytes);
    (void)p.parse(s.direction, in);
  }
  EXPECT_EQ(p.transactions.at(0)->progress[0], kClientHandshakeDone);
  EXPECT_EQ(p.transactions.at(0)->progress[1], kServerHandshakeDone);
}

TEST(TlsParser, WaitsForTheClientsCertificateWhenTheServerAsksForOne) {
  Config config;
  TlsParser p(config);
  const auto feed = [&](Direction d, const std::string& bytes) {
    applayer::Input in;
    in.data = as_bytes(bytes);
    (void)p.parse(d, in);
  };
  feed(Direction::kToServer, rec(22, hs(1, Client().body())));
  feed(Direction::kToClient,
       rec(22, hs(2, server_body(0x0303)) + certs({kDer}) + hs(13, "x") + hs(14, "")));
  EXPECT_LT(p.transactions.at(0)->progress[1], kServerHandshakeDone);
  feed(Direction::kToServer, rec(22, certs({kDer})));
  EXPECT_EQ(p.transactions.at(0)->progress[1], kServerHandshakeDone);
  const auto& tx = static_cast<const Transaction&>(*p.transactions[0]);
  ASSERT_NE(tx.client().leaf, nullptr);
  EXPECT_EQ(tx.client().leaf->serial, "00:8A:01");
}

TEST(TlsParser, Tls13NeedsNoCertificateToBeLogged) {
  Conversation c{&kTlsProtocol};
  Client hello;
  hello.extra = ext(43, v8(u16(0x0304) + u16(0x0303)));
  c.client(rec(22, hs(1, hello.body()), 0x0301));
  c.server(rec(22, hs(2, server_body(0x0303, "", ext(43, u16(0x0304))))) + kCcs + kData);
  c.client(kCcs + kData);
  const auto o = run(c);
  EXPECT_THAT(record_of(o, extended()), HasSubstr(R"("version":"TLS 1.3")"));
  EXPECT_EQ(first(o).ja4().substr(0, 4), "t13d");
}

TEST(TlsParser, ResumedSession) {
  Conversation c{&kTlsProtocol};
  Client hello;
  hello.session_id = std::string(32, 'i');
  c.client(rec(22, hs(1, hello.body())));
  c.server(rec(22, hs(2, server_body(0x0303, hello.session_id))) + kCcs);
  c.client(kCcs);
  const auto o = run(c);
  EXPECT_THAT(record_of(o, extended()), HasSubstr(R"("session_resumed":true)"));
  Settings off = extended();
  off.set("session-resumption", "no");
  EXPECT_EQ(record_of(o, off), "");
}

TEST(TlsParser, HelloAloneIsNotLogged) {
  Conversation c{&kTlsProtocol};
  c.client(rec(22, hs(1, Client().body())));
  EXPECT_EQ(record_of(run(c), extended()), "");
}

TEST(TlsParser, HandshakeMessageOverManyRecords) {
  Conversation c{&kTlsProtocol};
  const std::string flight = hs(2, server_body(0x0303)) + certs({kDer}) + hs(14, "");
  c.client(rec(22, hs(1, Client().body())));
  for (size_t i = 0; i < flight.size(); i += 11) c.server(rec(22, flight.substr(i, 11)));
  EXPECT_NE(first(run(c)).server().leaf, nullptr);
}

TEST(TlsParser, HugeHandshakeMessageIsSkippedNotBuffered) {
  Conversation c{&kTlsProtocol};
  c.client(rec(22, hs(1, Client().body())));
  c.server(rec(22, u8(11) + u24(kMaxHandshakeBytes + 1)));
  std::string rest(kMaxHandshakeBytes + 1, 'z');
  for (size_t i = 0; i < rest.size(); i += 16000) c.server(rec(22, rest.substr(i, 16000)));
  c.server(rec(22, hs(2, server_body(0x0303))));
  const auto o = run(c);
  EXPECT_THAT(first(o).events(), ElementsAre(kInvalidHandshakeMessage));
  EXPECT_TRUE(first(o).server().has_hello);
}

// ---------------------------------------------------------------- damage

std::vector<applayer::EventId> events_of(const Conversation& c) { return first(run(c)).events(); }

TEST(TlsEvents, RecordHeaders) {
  const std::string hello = rec(22, hs(1, Client().body()));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(hello + rec(25, "z"))),
              ElementsAre(kInvalidRecordType, kInvalidSslRecord));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(hello + rec(23, "z", 0x0901))),
              ElementsAre(kInvalidRecordVersion, kInvalidSslRecord));
  EXPECT_THAT(
      events_of(Conversation{&kTlsProtocol}.client(hello + u8(23) + u16(0x0303) + u16(0xffff))),
      ElementsAre(kInvalidRecordLength, kInvalidSslRecord));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(hello + rec(22, ""))),
              ElementsAre(kInvalidRecordLength));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(hello + rec(23, ""))), IsEmpty());
}

TEST(TlsEvents, BrokenHellos) {
  Client c;
  c.extra = ext(0, v16(u8(0) + v16("other.example.org")));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(rec(22, hs(1, c.body())))),
              ElementsAre(kMultipleSniExtensions));
  c.sni = "";
  c.extra = ext(0, v16(u8(7) + v16("x")));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(rec(22, hs(1, c.body())))),
              ElementsAre(kInvalidSniType));
  c.extra = ext(0, v16(u8(0) + u16(900) + "x"));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(rec(22, hs(1, c.body())))),
              ElementsAre(kInvalidSniLength));
  const std::string body = Client().body();
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(
                  rec(22, hs(1, body.substr(0, body.size() - 3))))),
              ElementsAre(kHandshakeInvalidLength));
}

TEST(TlsEvents, Heartbleed) {
  const std::string hello = rec(22, hs(1, Client().body()));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(
                  hello + rec(24, std::string("\x01\x40\x00", 3)))),
              ElementsAre(kOverflowHeartbeatMessage, kInvalidSslRecord));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(
                  hello + rec(24, std::string("\x01\x00\x01", 3) + std::string(17, 'p')))),
              IsEmpty());
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(
                  hello + rec(24, std::string("\x05\x00\x01", 3) + std::string(17, 'p')))),
              ElementsAre(kInvalidHeartbeatMessage, kInvalidSslRecord));
}

TEST(TlsEvents, PaddingOfAHeartbeatIsJudgedWhereItsRecordIsWhole) {
  const std::string hello = rec(22, hs(1, Client().body()));
  const std::string beat = rec(24, std::string("\x01\x00\x10", 3) + std::string(16, 'p'));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(hello + beat)),
              ElementsAre(kInvalidHeartbeatMessage, kInvalidSslRecord));
  EXPECT_THAT(events_of(Conversation{&kTlsProtocol}.client(hello + beat.substr(0, 12)).client(beat.substr(12))),
              IsEmpty());
}

TEST(TlsEvents, EncryptedHeartbeatAnswerLongerThanItsRequestLeaks) {
  Conversation c = tls12();
  c.client(rec(24, std::string(40, 'q')));
  c.server(rec(24, std::string(4000, 'a')));
  EXPECT_THAT(events_of(c), ElementsAre(kDataleakHeartbeatMismatch, kInvalidSslRecord));
}

TEST(TlsParser, GapWithinEncryptedDataIsBridged) {
  Config config;
  TlsParser p(config);
  const std::string bytes =
      rec(22, hs(1, Client().body())) + u8(23) + u16(0x0303) + u16(4096) + std::string(100, 'd');
  applayer::Input in;
  in.data = as_bytes(bytes);
  EXPECT_EQ(p.parse(Direction::kToServer, in).consumed, bytes.size());
  EXPECT_TRUE(p.gap(Direction::kToServer, 3000));
  EXPECT_FALSE(p.gap(Direction::kToServer, 3000));
}

TEST(TlsParser, BypassEndsParsingOnceBothSidesAreEncrypted) {
  Conversation c = tls12();
  c.settings.set("app-layer.protocols.tls.encryption-handling", "bypass");
  c.client("this is not TLS").server("nor this");
  const auto o = run(c);
  EXPECT_FALSE(o.failed);
  EXPECT_TRUE(o.parser->bypass_flow);
  EXPECT_FALSE(run(tls12()).parser->bypass_flow);
  EXPECT_THAT(first(o).events(), IsEmpty());
}

// Crash in a flow's last turn: the driver had taken the finished transaction away, and more bytes came.
TEST(TlsParser, IsOverWhenItsTransactionIsGone) {
  const Config config;
  TlsParser parser(config);
  const std::string hello = rec(22, hs(1, Client().body()), 0x0301);
  applayer::Input in;
  in.data = as_bytes(hello);
  ASSERT_EQ(parser.parse(Direction::kToServer, in).status, applayer::ParseResult::Status::kOk);
  ASSERT_EQ(parser.transactions.size(), 1u);
  parser.transactions.clear();
  EXPECT_EQ(parser.parse(Direction::kToServer, in).status, applayer::ParseResult::Status::kDone);
  EXPECT_TRUE(parser.gap(Direction::kToServer, 10));
  parser.end();
  EXPECT_TRUE(parser.transactions.empty());
}

// ---------------------------------------------------------------- keywords

bool matches(const Transaction& tx, std::string_view keyword, std::string_view value,
             Direction d = Direction::kToClient) {
  for (const auto& m : kTlsProtocol.matchers) {
    if (m.name != keyword) continue;
    const auto parsed = m.parse(value);
    EXPECT_TRUE(parsed.has_value()) << keyword << ":" << value;
    return parsed && (*parsed)->match(tx, d);
  }
  ADD_FAILURE() << keyword;
  return false;
}

bool refused(std::string_view keyword, std::string_view value) {
  for (const auto& m : kTlsProtocol.matchers) {
    if (m.name == keyword) return !m.parse(value).has_value();
  }
  return false;
}

std::string frames_of(TlsParser& p, Direction d) {
  std::string out;
  for (const applayer::Frame& f : p.frames->of(d))
    out += fmt::format("{}@{}+{} ", f.type, f.offset, f.length);
  return out;
}

TEST(TlsFrames, RecordsWithTheirParts) {
  const Config config;
  TlsParser p(config);
  p.frames = std::make_unique<applayer::FrameSet>();
  const std::string alert = unhex("15030300020228"), data = unhex("1703030003616263");
  applayer::Input in;
  in.data = as_bytes(alert);
  in.offset = 100;
  (void)p.parse(Direction::kToServer, in);
  in.data = as_bytes(data);
  in.offset = 107;
  (void)p.parse(Direction::kToServer, in);
  EXPECT_EQ(frames_of(p, Direction::kToServer),
            fmt::format("{}@100+7 {}@100+5 {}@105+2 {}@105+2 {}@107+8 {}@107+5 {}@112+3 ",
                        +kFramePdu, +kFrameHeader, +kFrameData, +kFrameAlert, +kFramePdu,
                        +kFrameHeader, +kFrameData));
}

TEST(TlsFrames, Ssl2HasHeadersOfTwoOrThreeBytes) {
  const Config config;
  TlsParser p(config);
  p.frames = std::make_unique<applayer::FrameSet>();
  const std::string hello = unhex("800901000200000000000000");
  applayer::Input in;
  in.data = as_bytes(hello);
  (void)p.parse(Direction::kToServer, in);
  EXPECT_THAT(frames_of(p, Direction::kToServer),
              testing::StartsWith(
                  fmt::format("{}@0+2 {}@0+11 ", +kFrameSsl2Header, +kFrameSsl2Pdu)));
}

TEST(TlsKeywords, Versions) {
  const auto o = run(tls12());
  EXPECT_TRUE(matches(first(o), "tls.version", "1.2"));
  EXPECT_FALSE(matches(first(o), "tls.version", "1.3"));
  EXPECT_TRUE(matches(first(o), "tls.version", "0x0303"));
  EXPECT_TRUE(matches(first(o), "ssl_version", "sslv3, tls1.2"));
  EXPECT_FALSE(matches(first(o), "ssl_version", "!tls1.2"));
  EXPECT_TRUE(refused("tls.version", "2.5"));
  EXPECT_TRUE(refused("ssl_version", "tls9"));
}

TEST(TlsKeywords, States) {
  const auto o = run(tls12());
  EXPECT_TRUE(matches(first(o), "ssl_state", "client_hello|server_keyx"));
  EXPECT_FALSE(matches(first(o), "ssl_state", "!client_keyx"));
  EXPECT_TRUE(refused("ssl_state", "hello"));
}

TEST(TlsKeywords, Validity) {
  const auto o = run(tls12());  // packets of the suite are of 2023, the certificate starts in 2026
  EXPECT_FALSE(matches(first(o), "tls_cert_valid", ""));
  EXPECT_FALSE(matches(first(o), "tls_cert_expired", ""));
  EXPECT_TRUE(matches(first(o), "tls_cert_notafter", ">2036"));
  EXPECT_FALSE(matches(first(o), "tls_cert_notafter", "<2036-11-20"));
  EXPECT_TRUE(matches(first(o), "tls_cert_notbefore", "2026-11-23<>2026-11-24 10:00:00"));
  EXPECT_TRUE(refused("tls_cert_notbefore", "soon"));
}

TEST(TlsKeywords, OlderForms) {
  const auto o = run(tls12());
  EXPECT_TRUE(matches(first(o), "tls.subject", "\"O=Vong\""));
  EXPECT_FALSE(matches(first(o), "tls.subject", "!\"O=Vong\""));
  EXPECT_TRUE(matches(first(o), "tls.fingerprint",
                      "\"EE:1c:7a:a6:3b:99:80:69:60:23:40:a6:25:83:50:84:5e:67:6c:4c\""));
}

}  // namespace
}  // namespace vong::tls
