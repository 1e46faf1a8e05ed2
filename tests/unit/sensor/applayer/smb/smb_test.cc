#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/formats/text.h"
#include "sensor/applayer/smb/parser.h"
#include "tests/contract/parser_contract.h"
#include "tests/unit/sensor/applayer/smb/smb_records.h"

namespace vong::smb {
namespace {

using namespace testing;  // NOLINT: the records above
using applayer::FileState;
using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using ::testing::Contains;
using ::testing::HasSubstr;

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

std::string whole(size_t size) {
  std::string out;
  while (out.size() < size) out.append(std::to_string(out.size())).append(" ");
  out.resize(size);
  return out;
}

Conversation share_session() {
  Conversation c{&kSmbProtocol};
  c.client(nbss(negotiate2({0, 0, 0}))).server(nbss(negotiated2({0, 0, 0}, 0x311)));
  c.client(nbss(tree_connect2({1, 0x11, 0}, "\\\\srv\\data")));
  c.server(nbss(tree_connected2({1}, 1)));
  c.client(nbss(create2({2}, "a.txt"))).server(nbss(created2({2}, 5, 3000)));
  return c;
}

Conversation written_file() {
  Conversation c = share_session();
  const std::string text = whole(3000);
  c.client(nbss(write2({3}, 5, 0, text.substr(0, 2000)))).server(nbss(written2({3}, 2000)));
  c.client(nbss(write2({4}, 5, 2000, text.substr(2000)))).server(nbss(written2({4}, 1000)));
  c.client(nbss(close2({5}, 5))).server(nbss(closed2({5})));
  return c;
}

Conversation read_file() {
  Conversation c = share_session();
  c.client(nbss(read2({3}, 5, 0, 3000))).server(nbss(data2({3}, whole(3000))));
  c.client(nbss(close2({4}, 5))).server(nbss(closed2({4})));
  return c;
}

TEST(SmbParser, Contract) {
  applayer::contract::ContractOptions o;
  o.cuts_max = 200;
  applayer::contract::check_contract(written_file(), o);
  applayer::contract::check_contract(read_file(), o);
}

TEST(SmbParser, FileThatIsWritten) {
  const auto o = run(written_file());
  ASSERT_EQ(o.transactions().size(), 5u);
  Transaction& tx = static_cast<Transaction&>(*o.transactions().at(3));
  const auto& files = tx.files(Direction::kToServer)->files();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].name, "a.txt");
  EXPECT_EQ(files[0].window, whole(3000));
  EXPECT_EQ(files[0].state, FileState::kClosed);
  EXPECT_THAT(
      o.records(),
      HasSubstr(R"("dialect":"3.11","command":"SMB2_COMMAND_WRITE","status":"STATUS_SUCCESS",)"
                R"("status_code":"0x0","session_id":17,"tree_id":7,"filename":"a.txt",)"
                R"("share":"\\\\srv\\data","fuid":"00000005-0000-0000-0001-000000000000")"));
}

TEST(SmbParser, FileThatIsRead) {
  const auto o = run(read_file());
  Transaction& tx = static_cast<Transaction&>(*o.transactions().at(3));
  EXPECT_EQ(tx.files(Direction::kToServer), nullptr);
  EXPECT_EQ(tx.files(Direction::kToClient)->files().at(0).window, whole(3000));
  EXPECT_THAT(o.records(), HasSubstr(R"("filename":"a.txt","disposition":"FILE_OPEN",)"
                                     R"("access":"normal","created":1504126400)"));
}

TEST(SmbParser, PartsOutOfOrderAndOverlapping) {
  Conversation c = share_session();
  c.client(nbss(write2({3}, 5, 4, "efgh")) + nbss(write2({4}, 5, 0, "abcd")));
  c.client(nbss(write2({5}, 5, 2, "XX"))).client(nbss(close2({6}, 5)));
  const auto o = run(c);
  Transaction& tx = static_cast<Transaction&>(*o.transactions().at(3));
  EXPECT_EQ(tx.files(Direction::kToServer)->files().at(0).window, "abcdefgh");
  EXPECT_THAT(tx.events(), Contains(kFileOverlap));
}

TEST(SmbParser, QueueOfPartsIsBounded) {
  Conversation c = share_session();
  c.settings.set("app-layer.protocols.smb.max-write-queue-cnt", "2");
  for (uint64_t i = 1; i < 6; ++i) c.client(nbss(write2({2 + i}, 5, i * 10, "x")));
  EXPECT_THAT(nth(run(c), 3).events(), Contains(kWriteQueueCountExceeded));
}

TEST(SmbParser, PartLargerThanConfigured) {
  Conversation c = share_session();
  c.settings.set("app-layer.protocols.smb.max-write-size", "100");
  c.client(nbss(write2({3}, 5, 0, whole(101))));
  const auto o = run(c);
  EXPECT_EQ(o.transactions().size(), 3u);
  EXPECT_THAT(nth(o, 2).events(), Contains(kWriteRequestTooLarge));
}

TEST(SmbParser, GapInAFileAndBehindIt) {
  SmbParser p{Config{}};
  applayer::Input in;
  const auto feed = [&](std::string_view s) {
    in.data = as_bytes(s);
    EXPECT_EQ(p.parse(Direction::kToServer, in).consumed, s.size());
  };
  const std::string record = nbss(write2({3}, 5, 0, whole(5000)));
  feed(record.substr(0, 2000));
  ASSERT_TRUE(p.gap(Direction::kToServer, 1000));
  feed(record.substr(3000));
  const std::string close = nbss(close2({4}, 5));
  ASSERT_TRUE(p.gap(Direction::kToServer, 10));
  feed("zzzz" + close);
  const auto& f =
      static_cast<Transaction&>(*p.transactions.at(0)).files(Direction::kToServer)->files()[0];
  EXPECT_EQ(f.size, 5000u);
  EXPECT_TRUE(f.gaps);
  EXPECT_EQ(f.state, FileState::kTruncated);
}

TEST(SmbParser, OneSidedTrafficEndsAtTheCap) {
  Conversation c{&kSmbProtocol};
  c.settings.set("app-layer.protocols.smb.max-tx", "3");
  for (uint64_t i = 0; i < 10; ++i) c.client(nbss(create2({i}, "x")));
  const auto o = run(c);
  EXPECT_TRUE(o.failed);
  EXPECT_LE(o.transactions().size(), 5u);
  EXPECT_THAT(o.records(), HasSubstr("too_many_transactions"));
}

TEST(SmbParser, OneSidedTrafficGoesOnWhereItIsExpected) {
  Conversation c{&kSmbProtocol};
  c.settings.set("app-layer.protocols.smb.max-tx", "3");
  c.settings.set("stream.async-oneside", "yes");
  for (uint64_t i = 0; i < 10; ++i) c.client(nbss(create2({i}, "x")));
  const auto o = run(c);
  EXPECT_FALSE(o.failed);
  EXPECT_EQ(o.transactions().size(), 10u);
  EXPECT_EQ(o.transactions().back()->progress[1], kSmbProtocol.complete[1]);
  EXPECT_THAT(o.records(), ::testing::Not(HasSubstr("too_many_transactions")));
}

TEST(SmbParser, CompoundRecordsAndDeletion) {
  Conversation c = share_session();
  std::string create = create2({3}, "gone");
  create.resize((create.size() + 7) / 8 * 8);
  create.replace(20, 4, le(create.size(), 4));
  const std::string set_info = smb2(17, false, {4},
                                    le(33, 2) + le(1, 1) + le(13, 1) + le(1, 4) + le(96, 2) +
                                        le(0, 6) + std::string(16, '\xff') + le(1, 1));
  c.client(nbss(create + set_info));
  EXPECT_THAT(run(c).records(), HasSubstr(R"("filename":"gone","set_info":{)"));
  EXPECT_THAT(run(c).records(), HasSubstr(R"("access":"delete on close")"));
}

TEST(SmbParser, RenameNamesBoth) {
  Conversation c = share_session();
  c.client(nbss(smb2(17, false, {3},
                     le(33, 2) + le(1, 1) + le(10, 1) + le(30, 4) + le(96, 2) + le(0, 6) +
                         file_id(5) + le(0, 16) + le(10, 4) + wide("b.txt"))));
  EXPECT_THAT(run(c).records(), HasSubstr(R"("rename":{"from":"a.txt","to":"b.txt"})"));
}

// ---------------------------------------------------------------- pipes

std::string unit(uint8_t type, uint32_t call, std::string_view body, uint8_t flags = 3) {
  return std::string("\5\0", 2) + le(type, 1) + le(flags, 1) + le(0x10, 4) +
         le(16 + body.size(), 2) + le(0, 2) + le(call, 4) + std::string(body);
}

std::string bind_unit(uint32_t call) {
  std::string uuid = formats::parse_uuid("367abb81-9844-35f1-ad32-98f038001003");
  std::reverse(uuid.begin(), uuid.begin() + 4);
  std::reverse(uuid.begin() + 4, uuid.begin() + 6);
  std::reverse(uuid.begin() + 6, uuid.begin() + 8);
  return unit(11, call, le(0, 8) + le(1, 4) + le(0, 2) + le(1, 2) + uuid + le(2, 4) + le(0, 20));
}

std::string ack_unit(uint32_t call) {
  return unit(12, call, le(0, 8) + le(4, 2) + "135" + le(0, 3) + le(1, 4) + le(0, 4) + le(0, 20));
}

Conversation pipe_session() {
  Conversation c{&kSmbProtocol};
  c.client(nbss(tree_connect2({1, 0x11, 0}, "\\\\srv\\IPC$")));
  c.server(nbss(tree_connected2({1}, 2)));
  c.client(nbss(create2({2}, "svcctl"))).server(nbss(created2({2}, 5)));
  c.client(nbss(write2({3}, 5, 0, bind_unit(1)))).server(nbss(written2({3}, 72)));
  c.client(nbss(read2({4}, 5, 0, 1024))).server(nbss(data2({4}, ack_unit(1))));
  const std::string call = unit(0, 2, le(0, 4) + le(0, 2) + le(15, 2) + "arguments");
  c.client(nbss(smb2(11, false, {5},
                     le(57, 2) + le(0, 2) + le(0x11c017, 4) + file_id(5) + le(120, 4) +
                         le(call.size(), 4) + le(0, 24) + call)));
  const std::string answer = unit(2, 2, le(0, 8) + "result");
  c.server(nbss(smb2(11, true, {5},
                     le(49, 2) + le(0, 2) + le(0x11c017, 4) + file_id(5) + le(0, 8) + le(112, 4) +
                         le(answer.size(), 4) + le(0, 8) + answer)));
  return c;
}

bool matches(std::string_view keyword, std::string_view value, const Transaction& tx) {
  for (const auto& m : kSmbProtocol.matchers) {
    if (m.name == keyword) return (*m.parse(value))->match(tx, Direction::kToServer);
  }
  return false;
}

TEST(SmbPipes, Contract) { applayer::contract::check_contract(pipe_session()); }

TEST(SmbPipes, CallsOverWriteReadAndControl) {
  const auto o = run(pipe_session());
  ASSERT_EQ(o.transactions().size(), 4u);
  EXPECT_THAT(o.records(), HasSubstr(R"("named_pipe":"\\\\srv\\IPC$","share_type":"PIPE")"));
  EXPECT_THAT(o.records(),
              HasSubstr(R"("request":"BIND","response":"BINDACK","interfaces":[{"uuid":)"
                        R"("367abb81-9844-35f1-ad32-98f038001003","version":"2.0")"));
  const auto* call = nth(o, 3).as<PipeCall>();
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->opnum, 15);
  EXPECT_EQ(call->stubs[0].data, "arguments");
  EXPECT_EQ(call->stubs[1].data, "result") << o.records();
  EXPECT_TRUE(matches("dcerpc.iface", "367abb81-9844-35f1-ad32-98f038001003", nth(o, 3)));
  EXPECT_TRUE(matches("dcerpc.opnum", "10-20", nth(o, 3)));
  EXPECT_FALSE(matches("dcerpc.opnum", "0", nth(o, 2)));
}

// ---------------------------------------------------------------- version 1

Conversation session1() {
  Conversation c{&kSmbProtocol};
  c.client(nbss(smb1(0x72, false, {}, block1("", std::string("\2A\0\2NT LM 0.12\0", 15)))));
  c.server(nbss(smb1(0x72, true, {}, block1(le(1, 2) + std::string(32, '\0'), "x"))));
  c.client(
      nbss(smb1(0x75, false, {2},
                block1(no_andx() + le(0, 2) + le(1, 2), std::string("\0\\\\s\\IPC$\0IPC\0", 15)))));
  c.server(
      nbss(smb1(0x75, true, {2, 2, 9}, block1(no_andx() + le(0, 2), std::string("IPC\0", 4)))));
  c.client(
      nbss(smb1(0x75, false, {3},
                block1(no_andx() + le(0, 2) + le(1, 2), std::string("\0\\\\s\\C$\0?????\0", 15)))));
  c.server(nbss(smb1(0x75, true, {3, 2, 8}, block1(no_andx() + le(0, 2), std::string("A:\0", 3)))));
  const Id1 id{4, 2, 8};
  c.client(nbss(
      smb1(0xa2, false, id,
           block1(no_andx() + std::string(31, '\0') + le(5, 4) + le(0, 4) + std::string(5, '\0'),
                  std::string("\\x.exe\0", 7)))));
  c.server(nbss(smb1(0xa2, true, id,
                     block1(no_andx() + le(0, 1) + le(0x4001, 2) + std::string(61, '\0'), ""))));
  const std::string head =
      no_andx() + le(0x4001, 2) + le(0, 4) + std::string(8, '\0') + le(0, 2) + le(4, 2);
  c.client(
      nbss(smb1(0x2f, false, {5, 2, 8}, block1(head + le(32 + 1 + 28 + 2, 2) + le(0, 4), "MZ!!"))));
  c.server(nbss(smb1(0x2f, true, {5, 2, 8}, block1(no_andx() + std::string(8, '\0'), ""))));
  c.client(nbss(smb1(0x04, false, {6, 2, 8}, block1(le(0x4001, 2) + le(0, 4), ""))));
  return c;
}

TEST(Smb1, Contract) { applayer::contract::check_contract(session1()); }

TEST(Smb1, SharesPipesAndFiles) {
  const auto o = run(session1());
  ASSERT_EQ(o.transactions().size(), 6u);
  EXPECT_THAT(o.records(),
              HasSubstr(R"("dialect":"NT LM 0.12","command":"SMB1_COMMAND_NEGOTIATE)"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(R"("named_pipe":"\\\\s\\IPC$","service":{"request":"IPC","response":"IPC"})"));
  EXPECT_THAT(o.records(), HasSubstr(R"("filename":"\\x.exe","disposition":"FILE_OVERWRITE_IF")"));
  Transaction& tx = static_cast<Transaction&>(*o.transactions().at(4));
  const auto& f = tx.files(Direction::kToServer)->files().at(0);
  EXPECT_EQ(f.name, "\\x.exe");
  EXPECT_EQ(f.window, "MZ!!");
  EXPECT_EQ(f.state, FileState::kClosed);
  EXPECT_EQ(tx.as<FileTransfer>()->share, "\\\\s\\C$");
}

TEST(Smb1, ErrorsOfBothKinds) {
  Conversation c{&kSmbProtocol};
  c.client(nbss(smb1(0x74, false, {}, block1(no_andx(), ""))));
  std::string answer = smb1(0x74, true, {}, block1("", ""), 0x005b0002);
  answer.replace(10, 2, le(0, 2));
  c.server(nbss(answer));
  EXPECT_THAT(run(c).records(), HasSubstr(R"("status":"SRV_BADUID","status_code":"0x005b")"));
}

TEST(Smb2, AServerThatOffersMoreThanConfigured) {
  Conversation c{&kSmbProtocol};
  c.settings.set("app-layer.protocols.smb.max-read-size", "1023kb");
  c.client(nbss(negotiate2({0, 0, 0}))).server(nbss(negotiated2({0, 0, 0}, 0x311)));
  const std::string records = run(c).records();
  EXPECT_THAT(records, HasSubstr("negotiate_max_read_size_too_large"));
  EXPECT_THAT(records, ::testing::Not(HasSubstr("negotiate_max_write_size_too_large")));
}

TEST(Smb1, AnsweredWithVersion2) {
  Conversation c{&kSmbProtocol};
  c.client(nbss(smb1(0x72, false, {}, block1("", std::string("\2SMB 2.???\0", 11)))));
  c.server(nbss(negotiated2({0, 0, 0}, 0x2ff)));
  EXPECT_THAT(run(c).records(), HasSubstr(R"("dialect":"2.??","command":"SMB1_COMMAND_NEGOTIATE)"));
}

// ---------------------------------------------------------------- detection, maps

TEST(SmbProbe, RecordsOfAllVersions) {
  const auto probe = [](Direction d, std::string_view s) {
    return kSmbProtocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToServer, nbss(create2({1}, "x"))), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, nbss(create2({1}, "x"))), ProbeVerdict::kReversed);
  EXPECT_EQ(probe(Direction::kToClient, nbss(closed2({1}))), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, nbss(create2({1}, "x")).substr(0, 6)),
            ProbeVerdict::kMoreData);
  EXPECT_EQ(probe(Direction::kToServer, std::string("\x81\0\0\2ab", 6) + nbss(create2({1}, "x"))),
            ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, "GET /"), ProbeVerdict::kNo);
}

TEST(BoundedMap, OldestGoesAtTheCap) {
  BoundedMap<int, int> m(3);
  for (int i = 0; i < 100; ++i) m.put(i % 5, i);
  EXPECT_EQ(m.size(), 3u);
  EXPECT_EQ(m.find(0), nullptr);
  EXPECT_EQ(*m.find(4), 99);
  EXPECT_EQ(m.take(4), 99);
  EXPECT_FALSE(m.take(4).has_value());
}

TEST(BoundedMap, TellsWhatItDropped) {
  BoundedMap<int, int> m(2);
  EXPECT_FALSE(m.put(1, 10).has_value());
  EXPECT_FALSE(m.put(2, 20).has_value());
  EXPECT_FALSE(m.put(1, 11).has_value());
  EXPECT_EQ(m.put(3, 30), 20);
}

}  // namespace
}  // namespace vong::smb
