#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/imap/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::imap {
namespace {

using applayer::FileState;
using applayer::contract::Conversation;
using applayer::contract::Outcome;
using testing::HasSubstr;

constexpr std::string_view kMail =
    "From: a@example.org\r\nSubject: s\r\nContent-Type: multipart/mixed; "
    "boundary=\"b\"\r\n\r\n--b\r\n"
    "Content-Disposition: attachment; filename=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "aGVsbG8g\r\nd29ybGQ=\r\n--b--\r\n";

std::string literal(std::string_view text) {
  return "{" + std::to_string(text.size()) + "}\r\n" + std::string(text);
}

Conversation session() {
  Conversation c{&kImapProtocol};
  c.server("* OK ready\r\n").client("a1 LOGIN me pw\r\n").server("a1 OK in\r\n");
  c.client("a2 FETCH 1 (UID BODY[])\r\n");
  c.server("* 1 FETCH (UID 7 BODY[] " + literal(kMail) + " FLAGS (\\Seen))\r\na2 OK done\r\n");
  c.client("a3 APPEND Sent (\\Seen) {" + std::to_string(kMail.size()) + "}\r\n");
  c.server("+ go on\r\n").client(std::string(kMail) + "\r\n").server("a3 OK\r\n");
  return c;
}

const std::deque<applayer::File>& files_of(const Outcome& o, size_t i, Direction d) {
  static const std::deque<applayer::File> kNone;
  auto* files = o.transactions().at(i)->files(d);
  return files != nullptr ? files->files() : kNone;
}

TEST(Imap, Contract) { applayer::contract::check_contract(session()); }

TEST(Imap, AttachmentsOfMailsAreFilesOfTheirDirection) {
  const Outcome o = run(session());
  ASSERT_EQ(o.transactions().size(), 2u);
  const Direction ways[] = {Direction::kToClient, Direction::kToServer};
  for (size_t i = 0; i < 2; ++i) {
    const auto& files = files_of(o, i, ways[i]);
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(files[0].name, "a.txt");
    EXPECT_EQ(files[0].window, "hello world");
    EXPECT_EQ(files[0].state, FileState::kClosed);
    EXPECT_TRUE(files_of(o, i, ways[1 - i]).empty());
  }
  EXPECT_THAT(o.records(), HasSubstr(R"("email":{"status":"PARSE_DONE","from":"a@example.org")"));
}

TEST(Imap, PartsThatFollowEachOtherAreOneMail) {
  Conversation c{&kImapProtocol};
  c.server("* 1 FETCH (BODY[]<0> " + literal(kMail.substr(0, 100)) + ")\r\na OK\r\n");
  c.server("* 1 FETCH (BODY[]<100> " + literal(kMail.substr(100)) + ")\r\na OK\r\n");
  c.server("* 1 FETCH (BODY[]<9999> {0}\r\n)\r\na OK\r\n");
  const Outcome o = run(c);
  ASSERT_EQ(o.transactions().size(), 1u);
  ASSERT_EQ(files_of(o, 0, Direction::kToClient).size(), 1u);
  EXPECT_EQ(files_of(o, 0, Direction::kToClient)[0].window, "hello world");
  EXPECT_EQ(files_of(o, 0, Direction::kToClient)[0].state, FileState::kClosed);
}

TEST(Imap, APartThatDoesNotFollowEndsTheMail) {
  Conversation c{&kImapProtocol};
  c.server("* 1 FETCH (BODY[]<0> " + literal(kMail.substr(0, 100)) + ")\r\n");
  c.server("* 1 FETCH (BODY[]<110> " + literal(kMail.substr(110)) + ")\r\n");
  const Outcome o = run(c);
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_EQ(o.transactions()[0]->progress[0], kComplete);
}

TEST(Imap, DotsInAMailAreItsOwn) {
  Conversation c{&kImapProtocol};
  c.server("* 1 FETCH (BODY[] " +
           literal("Content-Disposition: attachment; filename=a\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n") +
           ")\r\n");
  const Outcome o = run(c);
  ASSERT_EQ(files_of(o, 0, Direction::kToClient).size(), 1u);
  EXPECT_THAT(files_of(o, 0, Direction::kToClient)[0].window, testing::StartsWith(".one\r\n..two\r\n.\r\nend"));
}

TEST(Imap, SeveralMailsInOneCommand) {
  Conversation c{&kImapProtocol};
  c.client("a APPEND x {" + std::to_string(kMail.size()) + "+}\r\n" + std::string(kMail) +
           " (\\Seen) {" + std::to_string(kMail.size()) + "+}\r\n" + std::string(kMail) + "\r\n");
  c.client("b NOOP\r\n");
  EXPECT_EQ(run(c).transactions().size(), 2u);
}

TEST(Imap, ALiteralThatIsRefusedDoesNotCome) {
  Conversation c{&kImapProtocol};
  c.client("a APPEND x {100000}\r\n").server("a NO too big\r\n");
  c.client("b APPEND x {" + std::to_string(kMail.size()) + "}\r\n").server("+\r\n");
  c.client(std::string(kMail) + "\r\n");
  const Outcome o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(files_of(o, 1, Direction::kToServer).size(), 1u);
}

TEST(Imap, OtherLiteralsAreReadOver) {
  Conversation c{&kImapProtocol};
  c.client("a LOGIN {2}\r\n").server("+\r\n").client("me {2}\r\n").server("+\r\n").client("pw\r\n");
  c.server("* 1 FETCH (BODY[HEADER] " + literal(kMail) + ")\r\n");
  c.server("* 1 FETCH (BODY[] NIL)\r\n");
  EXPECT_TRUE(run(c).transactions().empty());
}

TEST(Imap, NothingIsReadBehindStarttls) {
  Conversation c{&kImapProtocol};
  c.client("a STARTTLS\r\n").server("a OK go\r\n");
  c.server("* 1 FETCH (BODY[] " + literal(kMail) + ")\r\n");
  c.client("b APPEND x {5+}\r\nhello\r\n");
  const Outcome o = run(c);
  EXPECT_FALSE(o.failed);
  EXPECT_TRUE(o.transactions().empty());
}

TEST(Imap, AMailThatIsBrokenOffIsTruncatedWithoutHashes) {
  Settings s;
  s.set("app-layer.files.md5", "yes");
  Conversation c{&kImapProtocol, s};
  c.server("* 1 FETCH (BODY[] {99999}\r\n" + std::string(kMail.substr(0, kMail.size() - 16)));
  const Outcome o = run(c);
  ASSERT_EQ(files_of(o, 0, Direction::kToClient).size(), 1u);
  EXPECT_EQ(files_of(o, 0, Direction::kToClient)[0].state, FileState::kTruncated);
  EXPECT_EQ(files_of(o, 0, Direction::kToClient)[0].md5, "");
}

TEST(ImapLiteral, SizeAndWhatItIsOf) {
  using Kind = Literal::Kind;
  const auto kind = [](std::string_view line) { return read_literal(line, false)->kind; };
  EXPECT_EQ(kind("* 1 FETCH (BODY[] {5}"), Kind::kMail);
  EXPECT_EQ(kind("* 1 FETCH (body[] {5}"), Kind::kMail);
  EXPECT_EQ(kind(" RFC822 {5}"), Kind::kMail);
  EXPECT_EQ(kind("* 1 FETCH (BINARY[] ~{5}"), Kind::kMail);
  EXPECT_EQ(kind("* 1 FETCH (BODY[1] {5}"), Kind::kOther);
  EXPECT_EQ(kind("* 1 FETCH (RFC822.HEADER {5}"), Kind::kOther);
  EXPECT_EQ(read_literal("(BODY[]<17> {5}", false)->offset, 17u);
  EXPECT_EQ(read_literal("x {5+}", false)->waits, false);
  EXPECT_EQ(read_literal("x {5}", false)->waits, true);
  EXPECT_EQ(read_literal("x {18446744073709551615}", false)->size, UINT64_MAX);
  EXPECT_FALSE(read_literal("x {18446744073709551616}", false));
  EXPECT_FALSE(read_literal("x {}", false));
  EXPECT_FALSE(read_literal("x {-1}", false));
  EXPECT_FALSE(read_literal("x {5", false));
  EXPECT_FALSE(read_literal("}", false));
}

TEST(Imap, OverlongLinesAreReadOver) {
  Conversation c{&kImapProtocol};
  c.server("* 1 FETCH (" + std::string(kMaxLineBytes, 'x') + " BODY[] {5}\r\n");
  c.server("* 1 FETCH (BODY[] " + literal(kMail) + ")\r\n");
  EXPECT_EQ(run(c).transactions().size(), 1u);
}

}  // namespace
}  // namespace vong::imap
