#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/pop3/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::pop3 {
namespace {

using applayer::AppProto;
using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

Conversation session() {
  Conversation c{&kPop3Protocol};
  c.server("+OK ready\r\n").client("user me\r\n").server("+OK \r\n");
  c.client("PASS a b\r\n").server("-ERR no\r\n");
  c.client("LIST\r\nLIST 1\r\n").server("+OK 2\r\n1 10\r\n2 20\r\n.\r\n+OK 1 10\r\n");
  c.client("RETR 1\r\n").server("+OK\r\nSubject: x\r\n\r\n+OK body\r\n.\r\n");
  return c;
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(Pop3Parser, Contract) { applayer::contract::check_contract(session()); }

TEST(Pop3Parser, CommandsWithTheirAnswers) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 6u);
  const std::string all = o.records();
  EXPECT_THAT(
      all,
      HasSubstr(
          R"({"pop3":{"response":{"success":true,"status":"OK","header":"ready","data":[]}}})"));
  EXPECT_THAT(all, HasSubstr(R"("request":{"command":"USER","args":["me"]})"));
  EXPECT_THAT(all, HasSubstr(R"("success":false,"status":"ERR","header":"no")"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("args":[]},"response":{"success":true,"status":"OK","header":"2","data":["1 10","2 20"]})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("args":["1"]},"response":{"success":true,"status":"OK","header":"1 10","data":[]})"));
  EXPECT_EQ(nth(o, 5).response->data.size(), 3u);
}

constexpr std::string_view kMail =
    "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n"
    "Content-Disposition: attachment; filename=a.txt\r\n\r\n..stuffed\r\n...\r\nlast\r\n--b--\r\n";

const std::deque<applayer::File>& files_of(const applayer::contract::Outcome& o, size_t i) {
  return o.transactions().at(i)->files(Direction::kToClient)->files();
}

TEST(Pop3Parser, AttachmentsOfMailsAreFiles) {
  Conversation c{&kPop3Protocol};
  c.client("RETR 1\r\nTOP 2 0\r\n");
  c.server("+OK\r\n" + std::string(kMail) + ".\r\n+OK\r\nSubject: x\r\n\r\n.\r\n");
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  ASSERT_EQ(files_of(o, 0).size(), 1u);
  EXPECT_EQ(files_of(o, 0)[0].name, "a.txt");
  EXPECT_EQ(files_of(o, 0)[0].window, ".stuffed\r\n..\r\nlast");
  EXPECT_EQ(files_of(o, 0)[0].state, applayer::FileState::kClosed);
  EXPECT_THAT(o.records(), HasSubstr(R"("email":{"status":"PARSE_DONE","from":"a@example.org")"));
  EXPECT_EQ(o.transactions().at(1)->files(Direction::kToClient), nullptr);
  applayer::contract::check_contract(c);
}

TEST(Pop3Parser, LongLinesOfAMailComeWholeIntoTheFile) {
  const std::string line(3 * kMaxLineBytes + 17, 'x');
  Conversation c{&kPop3Protocol};
  c.client("RETR 1\r\n");
  c.server("+OK\r\nContent-Disposition: attachment; filename=a\r\n\r\n" + line + "\r\n.\r\n");
  const auto o = run(c);
  ASSERT_EQ(files_of(o, 0).size(), 1u);
  EXPECT_EQ(files_of(o, 0)[0].window.substr(0, line.size()), line);
  EXPECT_EQ(run_in_pieces(c, 1000).records(), o.records());
}

TEST(Pop3Parser, AMailThatIsBrokenOffIsTruncated) {
  Conversation c{&kPop3Protocol};
  c.client("RETR 1\r\n").server("+OK\r\n" + std::string(kMail.substr(0, kMail.size() - 20)));
  const auto o = run(c);
  ASSERT_EQ(files_of(o, 0).size(), 1u);
  EXPECT_EQ(files_of(o, 0)[0].state, applayer::FileState::kTruncated);
}

TEST(Pop3Parser, StlsHandsOver) {
  const auto o = run(Conversation{&kPop3Protocol}.client("STLS\r\n").server("+OK go\r\n"));
  EXPECT_TRUE(o.upgraded);
  EXPECT_EQ(o.next, AppProto::kTls);
}

TEST(Pop3Parser, Events) {
  Conversation c{&kPop3Protocol};
  c.client("AUTH\r\n").client("XYZ\r\n").client("TOP 1\r\n");
  c.client("USER " + std::string(kMaxLineBytes, 'a') + "\r\n");
  const auto o = run(c);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre(kIncorrectArgumentCount));
  EXPECT_THAT(nth(o, 1).events(), ElementsAre(kUnknownCommand));
  EXPECT_THAT(nth(o, 2).events(), ElementsAre(kIncorrectArgumentCount));
  EXPECT_THAT(nth(o, 3).events(), ElementsAre(kCommandTooLong));
}

TEST(Pop3Parser, AnswerThatIsNone) {
  Conversation c{&kPop3Protocol};
  c.client("LIST\r\n").server("GARBAGE\r\n").server("+OK 2\r\n").server("1 10\r\n");
  const auto o = run(c);
  EXPECT_TRUE(o.failed);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_FALSE(nth(o, 0).response.has_value());
}

TEST(Pop3Parser, LongAnswersAreCut) {
  Conversation c{&kPop3Protocol};
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += "line\r\n";
  c.client("RETR 1\r\n").server("+OK\r\n" + lines + ".\r\n");
  const auto o = run(c);
  EXPECT_EQ(nth(o, 0).response->data.size(), kMaxDataLines);
  EXPECT_EQ(nth(o, 0).progress[1], kComplete);
}

TEST(Pop3Parser, OpenCommandsAreBounded) {
  Conversation c{&kPop3Protocol};
  c.settings.set("app-layer.protocols.pop3.max-tx", "2");
  c.client("NOOP\r\nNOOP\r\nNOOP\r\n");
  EXPECT_THAT(nth(run(c), 0).events(), ElementsAre(kTooManyTransactions));
}

TEST(Pop3Probe, BothSides) {
  const auto probe = [](Direction d, std::string_view s) {
    return kPop3Protocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToClient, "+OK hi\r\n"), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, "220 hi\r\n"), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToServer, "capa\r\n"), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, "GET /"), ProbeVerdict::kNo);
}

}  // namespace
}  // namespace vong::pop3
