#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/smtp/limits.h"
#include "sensor/applayer/smtp/mime.h"
#include "sensor/applayer/smtp/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::smtp {
namespace {

using applayer::contract::Conversation;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// ---------------------------------------------------------------- mails

struct Sink : FileSink {
  void file_open(std::string name) override { files.emplace_back(std::move(name), ""); }
  void file_data(Bytes data) override { files.back().second.append(as_text(data)); }
  void file_close(bool complete) override { closed.push_back(complete); }
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<bool> closed;
};

struct Mail {
  explicit Mail(std::string_view text, MimeConfig c = {})
      : config(std::move(c)), mime(config, sink) {
    while (!text.empty()) {
      const size_t end = text.find("\r\n");
      mime.line(text.substr(0, end), end == std::string_view::npos ? "" : "\r\n");
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    }
    mime.finish(true);
  }
  MimeConfig config;
  Sink sink;
  Mime mime;
};

TEST(Mime, FoldedHeadersAreJoined) {
  const Mail m("From: a@b\r\nReceived: from x\r\n  by y\r\nReceived: two\r\n\r\nbody\r\n");
  ASSERT_NE(m.mime.header("from"), nullptr);
  EXPECT_EQ(*m.mime.header("from"), "a@b");
  EXPECT_EQ(*m.mime.header("received"), "from xby y");
  EXPECT_EQ(m.mime.headers().size(), 3u);
  EXPECT_EQ(m.mime.status(), "PARSE_DONE");
}

TEST(Mime, AttachmentsAreDecoded) {
  const Mail m(
      "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble "
      "http://no.example/\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee "
      "http://www.example.org/x?y now\r\n--b\r\nContent-Disposition: attachment; "
      "filename=a.bin\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\naGVs\r\nbG8=\r\n--b\r\nContent-Disposition: attachment; filename=\"q "
      "p\"\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\n\r\na=3Db=\r\nc\r\n--b--\r\nepilogue\r\n");
  EXPECT_THAT(m.sink.files, ElementsAre(std::pair("a.bin", "hello"), std::pair("q p", "a=bc")));
  EXPECT_THAT(m.sink.closed, ElementsAre(true, true));
  EXPECT_THAT(m.mime.urls(), ElementsAre("www.example.org/x?y"));
  EXPECT_EQ(m.mime.issues(), 0);
}

TEST(Mime, LineEndBeforeABoundaryIsNotPartOfTheFile) {
  const Mail m(
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; "
      "name=f\r\n\r\none\r\n\r\n--b--\r\n");
  EXPECT_THAT(m.sink.files, ElementsAre(std::pair("f", "one\r\n")));
}

TEST(Mime, NestedMultipartEndsWithItsParent) {
  const Mail m(
      "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: "
      "multipart/alternative; boundary=in\r\n\r\n--in\r\nContent-"
      "Type: application/x; name=1\r\n\r\nA\r\n--out\r\nContent-Type: application/x; "
      "name=2\r\n\r\nB\r\n--out--\r\n");
  EXPECT_THAT(m.sink.files, ElementsAre(std::pair("1", "A"), std::pair("2", "B")));
}

TEST(Mime, MailWithinAMailIsReadWhateverItsEncodingClaims) {
  const Mail m(
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nSubject: "
      "inner\r\nContent-Disposition: attachment; "
      "filename=m.exe\r\n\r\nplain\r\n");
  EXPECT_THAT(m.sink.files, ElementsAre(std::pair("m.exe", "plain")));
  EXPECT_EQ(m.mime.header("subject"), nullptr);
}

TEST(Mime, ParametersOfRfc2231) {
  EXPECT_EQ(header_parameter("attachment; filename*0=\"a b\"; filename*1=.txt", "filename"),
            "a b.txt");
  EXPECT_EQ(header_parameter("attachment; filename*=utf-8''na%20me", "filename"), "na me");
  EXPECT_EQ(header_parameter("attachment; FileName = x ; y=z", "filename"), "x");
  EXPECT_EQ(header_parameter("attachment; filename", "filename"), "");
  EXPECT_EQ(header_parameter("attachment; filename=\"open", "filename"), "open");
}

TEST(SmtpParser, EachLineThatIsTooLongIsAnEvent) {
  Conversation c{&kSmtpProtocol};
  const std::string line = std::string(100, 'A') + "\r\n";
  c.server("220 a\r\n").client("HELO a\r\n").server("250 a\r\n").client("DATA\r\n").server("354 a\r\n");
  c.client("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + line + line + line + ".\r\n");
  const auto outcome = run(c);
  EXPECT_EQ(std::ranges::count(outcome.transactions().front()->events(), kMimeLongEncLine), 3);
}

TEST(Mime, Issues) {
  EXPECT_EQ(Mail("Content-Transfer-Encoding: base64\r\n\r\nab!d\r\n").mime.issues(),
            kMimeInvalidBase64);
  EXPECT_EQ(Mail("Content-Transfer-Encoding: quoted-printable\r\n\r\na=zz\r\n").mime.issues(),
            kMimeInvalidQp);
  EXPECT_EQ(Mail("a: b\r\n\r\n" + std::string(999, 'x') + "\r\n").mime.issues(), kMimeLongLine);
  EXPECT_EQ(Mail(std::string(80, 'n') + ": b\r\n\r\n").mime.issues(), kMimeLongHeaderName);
  EXPECT_EQ(Mail("no header\r\n\r\n").mime.issues(), kMimeMalformed);
  EXPECT_EQ(Mail("Content-Disposition: x; filename=" + std::string(300, 'f') + "\r\n\r\nx\r\n")
                .mime.issues(),
            kMimeLongFilename);
}

TEST(Mime, HeaderValueIsBounded) {
  std::string text = "x: ";
  for (int i = 0; i < 100; ++i) text += std::string(900, 'v') + "\r\n ";
  const Mail m(text + "\r\n\r\n");
  EXPECT_EQ(m.mime.header("x")->size(), kMaxHeaderValueBytes);
  EXPECT_NE(m.mime.issues() & kMimeLongHeaderValue, 0);
}

TEST(Mime, NestingIsBounded) {
  std::string text = "Content-Type: multipart/mixed; boundary=b0\r\n\r\n";
  for (int i = 0; i < 1000; ++i)
    text += "--b" + std::to_string(i) + "\r\nContent-Type: multipart/mixed; boundary=b" +
            std::to_string(i + 1) + "\r\n\r\n";
  EXPECT_EQ(Mail(text).mime.status(), "PARSE_DONE");
}

TEST(Mime, SchemesAreConfigured) {
  MimeConfig c;
  c.url_schemes = {"http", "https", "ftp"};
  c.log_url_scheme = true;
  EXPECT_THAT(
      Mail("a: b\r\n\r\nhttps://x/ FTP://y/z,<a href='http://q'> xhttp://no\r\n", c).mime.urls(),
      ElementsAre("https://x/", "FTP://y/z,", "http://q"));
}

TEST(Mime, BodyHashCoversAllBehindTheHeaders) {
  MimeConfig c;
  c.body_md5 = true;
  EXPECT_EQ(Mail("a: b\r\n\r\nbody\r\n", c).mime.body_md5(), "89dd3590116a70b579661a2d8593bb2f");
}

// ---------------------------------------------------------------- sessions

Conversation session() {
  Conversation c{&kSmtpProtocol};
  c.server("220 mail.example.org ESMTP\r\n")
      .client("EHLO me\r\n")
      .server("250-mail.example.org\r\n250 OK\r\n");
  c.client("MAIL FROM:<a@example.org> SIZE=9\r\n").server("250 ok\r\n");
  c.client("RCPT TO:<b@example.org>\r\nRCPT TO: <c@example.org>\r\n")
      .server("250 ok\r\n250 ok\r\n");
  c.client("DATA\r\n").server("354 go\r\n");
  c.client("From: a\r\nTo: x, \"y, z\" <y@z>\r\nSubject: s\r\n\r\n..dot http://u.example/\r\n.\r\n")
      .server("250 queued\r\n");
  c.client("QUIT\r\n").server("221 bye\r\n");
  return c;
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i = 0) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(SmtpParser, Contract) { applayer::contract::check_contract(session()); }

TEST(SmtpParser, ACommandLineIsAFrameWithItsEndAndOneWithout) {
  const Config config;
  SmtpParser parser(config);
  parser.frames = std::make_unique<applayer::FrameSet>();
  const std::string text = "EHLO a\r\nQUIT\n";
  applayer::Input in;
  in.data = as_bytes(text);
  (void)parser.parse(Direction::kToServer, in);
  parser.frames->fill(Direction::kToServer, in.data, 0);
  std::vector<std::string> seen;
  for (const applayer::Frame& f : parser.frames->of(Direction::kToServer)) {
    EXPECT_EQ(f.type, kFrameCommandLine);
    EXPECT_EQ(f.tx_id.has_value(), f.data.ends_with("\n"));
    seen.push_back(f.data);
  }
  EXPECT_THAT(seen, ElementsAre("EHLO a\r\n", "EHLO a", "QUIT\n", "QUIT"));
}

TEST(SmtpParser, EnvelopeAndMail) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(nth(o).mail_from, "<a@example.org>");
  EXPECT_THAT(nth(o).recipients, ElementsAre("<b@example.org>", "<c@example.org>"));
  EXPECT_THAT(nth(o).events(), IsEmpty());
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("email":{"status":"PARSE_DONE","from":"a","to":["x","\"y, z\" <y@z>"],"url":["u.example/"]}})"));
  EXPECT_THAT(o.records(), HasSubstr(R"(log smtp {"smtp":{"helo":"me"}})"));
}

TEST(SmtpParser, PipelinedDataIsReadBeforeTheAnswer) {
  Conversation c{&kSmtpProtocol};
  c.server("220 m ESMTP\r\n")
      .client("EHLO me\r\n")
      .server("250-m\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
  c.client("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\n")
      .server("250 1\r\n250 2\r\n354 3\r\n250 4\r\n");
  const auto o = run(c);
  EXPECT_TRUE(nth(o).done);
  EXPECT_EQ(*nth(o).mime->header("subject"), "x");
}

TEST(SmtpParser, StartTlsHandsOver) {
  Conversation c{&kSmtpProtocol};
  c.server("220 m\r\n")
      .client("EHLO me\r\n")
      .server("250 ok\r\n")
      .client("STARTTLS\r\n")
      .server("220 go\r\n");
  const auto o = run(c);
  EXPECT_TRUE(o.upgraded);
  EXPECT_EQ(o.next, applayer::AppProto::kTls);
}

std::vector<applayer::EventId> events_of(const Conversation& c) {
  std::vector<applayer::EventId> all;
  const auto o = run(c);
  for (const auto& tx : o.transactions())
    all.insert(all.end(), tx->events().begin(), tx->events().end());
  return all;
}

TEST(SmtpEvents, EachByItsCause) {
  const auto c = [] {
    return Conversation{&kSmtpProtocol}
        .server("220 m\r\n")
        .client("HELO a\r\n")
        .server("250 ok\r\n");
  };
  EXPECT_THAT(events_of(c().client("HELO b\r\n")), ElementsAre(kDuplicateFields));
  EXPECT_THAT(events_of(c().server("999 what\r\n")), ElementsAre(kInvalidReply));
  EXPECT_THAT(events_of(c().server("421 too long idle\r\n")), ElementsAre(kUnableToMatchReplyWithRequest));
  EXPECT_THAT(events_of(c().client("STARTTLS\r\n").server("454 no\r\n")),
              ElementsAre(kTlsRejected));
  EXPECT_THAT(events_of(c().client("DATA\r\n").server("554 no\r\n")),
              ElementsAre(kDataCommandRejected));
  EXPECT_THAT(events_of(c().client("DATA\r\nQUIT\r\n")), ElementsAre(kInvalidPipelinedSequence));
  EXPECT_THAT(events_of(c().client(std::string(kMaxLineBytes + 10, 'x') + "\r\n")),
              ElementsAre(kMaxCommandLineLenExceeded));
  EXPECT_THAT(events_of(Conversation{&kSmtpProtocol}.client("HELO a\r\n")),
              ElementsAre(kNoServerWelcomeMessage));
}

TEST(SmtpParser, BdatIsCountedPast) {
  Conversation c{&kSmtpProtocol};
  c.server("220 m\r\n")
      .client("EHLO a\r\n")
      .server("250 ok\r\n")
      .client("BDAT 10 LAST\r\n0123456789RSET\r\n")
      .server("250 ok\r\n250 ok\r\n");
  const auto o = run(c);
  EXPECT_FALSE(o.failed);
  EXPECT_TRUE(nth(o).done);
  Conversation bad{&kSmtpProtocol};
  bad.server("220 m\r\n").client("BDAT x\r\n");
  EXPECT_TRUE(run(bad).failed);
}

TEST(SmtpParser, FileOfABrokenOffMailIsTruncated) {
  Conversation c{&kSmtpProtocol};
  c.server("220 m\r\n")
      .client("HELO a\r\n")
      .server("250 ok\r\n")
      .client("DATA\r\n")
      .server("354 go\r\n");
  c.client("Content-Disposition: attachment; filename=f\r\n\r\nabc\r\ndef");
  const auto o = run(c);
  const auto* files = o.transactions().at(0)->files(Direction::kToServer);
  ASSERT_NE(files, nullptr);
  EXPECT_EQ(files->files().at(0).state, applayer::FileState::kTruncated);
  EXPECT_EQ(nth(o).mime->status(), "BODY_STARTED");
}

TEST(SmtpProbe, WelcomeOnTheMailPorts) {
  const auto probe = kSmtpProtocol.probe.probe;
  EXPECT_EQ(probe(Direction::kToClient, as_bytes(std::string_view("220 mail.example.org hi\r\n"))),
            applayer::ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, as_bytes(std::string_view("220 (ftp)\r\n"))),
            applayer::ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToClient, as_bytes(std::string_view("SSH-2.0-x\r\n"))),
            applayer::ProbeVerdict::kNo);
}

}  // namespace
}  // namespace vong::smtp
