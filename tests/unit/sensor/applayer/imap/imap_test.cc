#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/imap/body_structure.h"
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

constexpr std::string_view kStructure =
    R"((("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)("APPLICATION" "PDF" ("NAME" "a b.pdf") NIL "x" "BASE64" 16 NIL ("ATTACHMENT" ("FILENAME" "a b.pdf")) NIL NIL) "MIXED" ("BOUNDARY" "b") NIL NIL))";

std::string only_file(const Outcome& o) {
  if (o.transactions().size() != 1) return "transactions: " + std::to_string(o.transactions().size());
  const auto& files = files_of(o, 0, Direction::kToClient);
  if (files.size() != 1) return "files: " + std::to_string(files.size());
  return files[0].name + ": " + std::string(files[0].window) + (files[0].state == FileState::kClosed ? "" : " (cut)");
}

TEST(Imap, APartOfAMessageIsReadByWhatTheStructureSays) {
  Conversation c{&kImapProtocol};
  c.client("a FETCH 4 (BODYSTRUCTURE)\r\n").server("* 4 FETCH (UID 9 BODYSTRUCTURE " + std::string(kStructure) + ")\r\na OK\r\n");
  c.client("b UID FETCH 9 (BODY.PEEK[2])\r\n").server("* 4 FETCH (UID 9 BODY[2] " + literal("aGVsbG8g\r\nd29ybGQ=") + ")\r\nb OK\r\n");
  EXPECT_EQ(only_file(run(c)), "a b.pdf: hello world");
}

TEST(Imap, APartInPiecesIsOneFile) {
  Conversation c{&kImapProtocol};
  c.server("* 4 FETCH (BODYSTRUCTURE " + std::string(kStructure) + ")\r\n");
  c.server("* 4 FETCH (BODY[2]<0> " + literal("aGVsbG8g\r\nd2") + ")\r\n").server("* 4 FETCH (BODY[2]<12> " + literal("9ybGQ=") + ")\r\n");
  c.server("* 4 FETCH (BODY[1]<18> {0}\r\n)\r\n");
  EXPECT_EQ(only_file(run(c)), "a b.pdf: hello world");
}

TEST(Imap, APartThatComesDecodedIsTakenAsItIs) {
  Conversation c{&kImapProtocol};
  c.server("* 4 FETCH (BODYSTRUCTURE " + std::string(kStructure) + ")\r\n");
  c.server("* 4 FETCH (BINARY[2] ~" + literal(std::string_view("%PDF\0aGVsbG8g\n", 14)) + ")\r\n");
  EXPECT_THAT(only_file(run(c)), testing::StartsWith(std::string("a b.pdf: %PDF\0aGVsbG8g", 22)));
}

TEST(Imap, APartIsReadBehindItsOwnHeader) {
  Conversation c{&kImapProtocol};
  c.server("* 4 FETCH (BODY[2.MIME] " + literal("Content-Type: text/plain; name=x.txt\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=x.txt\r\n\r\n") +
           " BODY[2] " + literal("aGVsbG8=") + ")\r\n");
  EXPECT_EQ(only_file(run(c)), "x.txt: hello");
}

TEST(Imap, HeaderAndTextAreOneMail) {
  Conversation c{&kImapProtocol};
  const size_t body = kMail.find("\r\n\r\n") + 4;
  c.server("* 4 FETCH (BODY[HEADER] " + literal(kMail.substr(0, body)) + " BODY[TEXT] " + literal(kMail.substr(body)) + ")\r\n");
  const Outcome o = run(c);
  EXPECT_EQ(only_file(o), "a.txt: hello world");
  EXPECT_THAT(o.records(), HasSubstr(R"("from":"a@example.org")"));
}

TEST(Imap, APartOfWhichNothingIsKnownIsReadOver) {
  Conversation c{&kImapProtocol};
  c.server("* 4 FETCH (BODYSTRUCTURE " + std::string(kStructure) + ")\r\n");
  c.server("* 5 FETCH (BODY[2] " + literal("aGVsbG8=") + ")\r\n").server("* 4 FETCH (BODY[3] " + literal("aGVsbG8=") + ")\r\n");
  EXPECT_TRUE(run(c).transactions().empty());
}

TEST(Imap, MessagesMoveUpWhenOneGoes) {
  Conversation c{&kImapProtocol};
  c.server("* 4 FETCH (BODYSTRUCTURE " + std::string(kStructure) + ")\r\n* 2 EXPUNGE\r\n* 3 FETCH (BODY[2] " + literal("aGVsbG8=") + ")\r\n");
  EXPECT_EQ(only_file(run(c)), "a b.pdf: hello");
}

TEST(Imap, AnotherMailboxHasOtherMessages) {
  Conversation c{&kImapProtocol};
  c.server("* 4 FETCH (BODYSTRUCTURE " + std::string(kStructure) + ")\r\n").client("b SELECT x\r\n");
  c.server("b OK\r\n* 4 FETCH (BODY[2] " + literal("aGVsbG8=") + ")\r\n");
  EXPECT_TRUE(run(c).transactions().empty());
}

TEST(Imap, WhatIsRememberedHasABound) {
  Conversation c{&kImapProtocol};
  const std::string fields = "X: " + std::string(15'000, 'x') + "\r\n\r\n";
  for (size_t n = 1; n <= 12; ++n) c.server("* " + std::to_string(n) + " FETCH (BODY[HEADER] " + literal(fields) + ")\r\n");
  c.server("* 1 FETCH (BODY[TEXT] " + literal("hello") + ")\r\n").server("* 12 FETCH (BODY[TEXT] " + literal("hello") + ")\r\n");
  EXPECT_EQ(run(c).transactions().size(), 1u);   // the first is forgotten
}

std::string sections(std::string_view line) {
  std::string out;
  for (const PartHeader& p : read_structures(line)) out += p.section + " ";
  return out;
}

TEST(ImapStructure, PartsAreNumberedAsTheyAreFetched) {
  EXPECT_EQ(sections("* 1 FETCH (BODYSTRUCTURE " + std::string(kStructure) + ")"), "1 2 TEXT ");
  EXPECT_EQ(sections(R"(* 1 FETCH (body ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1)))"), "1 TEXT ");
  const std::string inner = R"(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1))";
  const std::string envelope = R"(("date" "(" ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL NIL NIL))";
  EXPECT_EQ(sections("* 1 FETCH (BODYSTRUCTURE (" + inner + R"(("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 )" + envelope + " " + inner + R"( 4) "MIXED"))"),
            "1 2 2.1 2.TEXT TEXT ");
  EXPECT_EQ(sections("* 1 FETCH (BODYSTRUCTURE ((" + inner + inner + R"( "ALTERNATIVE") "MIXED"))"), "1.1 1.2 1 TEXT ");
}

TEST(ImapStructure, FieldsAreThoseOfThePart) {
  const auto parts = read_structures("* 1 FETCH (BODYSTRUCTURE " + std::string(kStructure) + ")");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[1].fields, "Content-Type: APPLICATION/PDF; NAME=\"a b.pdf\"\r\nContent-Transfer-Encoding: BASE64\r\n"
                             "Content-Disposition: ATTACHMENT; FILENAME=\"a b.pdf\"\r\n\r\n");
  EXPECT_EQ(parts[2].fields, "Content-Type: multipart/MIXED; BOUNDARY=\"b\"\r\n\r\n");
}

TEST(ImapStructure, MarksInNamesDoNotEndTheField) {
  const auto parts = read_structures(R"(* 1 FETCH (BODY ("A" "B" ("NAME" "a \"b\\(;.pdf" "NAME*" "utf-8''%C4%83") NIL NIL "BASE64" 3)))");
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_THAT(parts[0].fields, testing::StartsWith("Content-Type: A/B; NAME=\"a b(;.pdf\"; NAME*=utf-8''%C4%83\r\n"));
}

TEST(ImapStructure, WhatCannotBeReadEndsTheList) {
  EXPECT_EQ(sections(R"(* 1 FETCH (BODYSTRUCTURE (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1)("APPLICATION" "X" {4}))"), "1 ");
  EXPECT_EQ(sections(R"(* 1 FETCH (ENVELOPE ("BODY (" "x")))"), "");
  EXPECT_EQ(sections(R"(* 1 FETCH (BODYSTRUCTURE ("TEXT" "PLAIN)"), "");
  EXPECT_EQ(sections("* 1 FETCH (BODYSTRUCTURE " + std::string(5000, '(')), "");
}

TEST(ImapLiteral, SizeAndWhatItIsOf) {
  using Kind = Literal::Kind;
  const auto kind = [](std::string_view line) { return read_literal(line, false)->kind; };
  EXPECT_EQ(kind("* 1 FETCH (BODY[] {5}"), Kind::kMail);
  EXPECT_EQ(kind("* 1 FETCH (body[] {5}"), Kind::kMail);
  EXPECT_EQ(kind(" RFC822 {5}"), Kind::kMail);
  EXPECT_EQ(kind("* 1 FETCH (BINARY[] ~{5}"), Kind::kMail);
  EXPECT_EQ(kind("* 1 FETCH (BODY[1] {5}"), Kind::kSection);
  EXPECT_EQ(kind("* 1 FETCH (BINARY[1.2] {5}"), Kind::kDecoded);
  EXPECT_EQ(kind("* 1 FETCH (RFC822.HEADER {5}"), Kind::kHeader);
  EXPECT_EQ(kind("* 1 FETCH (BODY[1.mime] {5}"), Kind::kHeader);
  EXPECT_EQ(kind("* 1 FETCH (BODY[HEADER.FIELDS (TO)] {5}"), Kind::kOther);
  EXPECT_EQ(kind("* 1 FETCH (BODY[1]<x> {5}"), Kind::kOther);
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
