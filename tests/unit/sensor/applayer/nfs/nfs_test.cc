#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sensor/applayer/core/frame.h"
#include "sensor/applayer/nfs/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::nfs {
namespace {

using applayer::FileState;
using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::HasSubstr;

std::string be(uint64_t value, int bytes = 4) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> 8 * i));
  return out;
}

std::string opaque(std::string_view s) {
  std::string out = be(s.size()) + std::string(s);
  out.resize((out.size() + 3) / 4 * 4);
  return out;
}

std::string call(uint32_t xid, uint32_t version, uint32_t procedure, std::string_view arguments) {
  const std::string credentials = be(1) + opaque("host") + be(1000) + be(1001) + be(0);
  return be(xid) + be(0) + be(2) + be(100003) + be(version) + be(procedure) + be(1) +
         opaque(credentials) + be(0) + be(0) + std::string(arguments);
}
std::string reply(uint32_t xid, std::string_view results) {
  return be(xid) + be(1) + be(0) + be(0) + be(0) + be(0) + std::string(results);
}
std::string marked(std::string_view m) { return be(0x80000000U | m.size()) + std::string(m); }

std::string text(size_t size) {
  std::string out;
  while (out.size() < size) out.append(std::to_string(out.size())).append(" ");
  out.resize(size);
  return out;
}

constexpr std::string_view kDir = "dir!", kFile = "file-handle!";

Conversation session() {
  Conversation c{&kNfsProtocol};
  c.client(marked(call(1, 3, 3, opaque(kDir) + opaque("a.txt"))));
  c.server(marked(reply(1, be(0) + opaque(kFile) + be(0) + be(0))));
  for (const uint64_t at : {uint64_t{0}, uint64_t{2000}}) {
    c.client(
        marked(call(static_cast<uint32_t>(2 + at), 3, 6, opaque(kFile) + be(at, 8) + be(2000))));
    const std::string data = text(3000).substr(at, 2000);
    c.server(marked(reply(static_cast<uint32_t>(2 + at),
                          be(0) + be(0) + be(data.size()) + be(at == 2000) + opaque(data))));
  }
  c.client(marked(call(9, 3, 7, opaque("other") + be(0, 8) + be(900) + be(0) + opaque(text(900)))));
  c.server(marked(reply(9, be(0) + be(0) + be(0) + be(900) + be(0) + be(0, 8))));
  c.client(marked(call(10, 3, 21, opaque("other") + be(0, 8) + be(0))));
  c.server(marked(reply(10, be(0) + be(0) + be(0) + be(0, 8))));
  c.client(marked(call(11, 3, 14, opaque(kDir) + opaque("a") + opaque(kDir) + opaque("b"))));
  c.server(marked(reply(11, be(13))));
  return c;
}

Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<Transaction&>(*o.transactions().at(i));
}

TEST(NfsParser, Contract) {
  applayer::contract::ContractOptions o;
  o.cuts_max = 150;
  applayer::contract::check_contract(session(), o);
}

TEST(NfsParser, CallsAndFilesOfVersion3) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 5u);
  EXPECT_EQ(nth(o, 0).name, "a.txt");
  const auto& read = nth(o, 1).files(Direction::kToClient)->files().at(0);
  EXPECT_EQ(read.name, "a.txt");
  EXPECT_EQ(read.window, text(3000));
  EXPECT_EQ(read.state, FileState::kClosed);
  const auto& written = nth(o, 2).files(Direction::kToServer)->files().at(0);
  EXPECT_EQ(written.window, text(900));
  EXPECT_EQ(written.state, FileState::kClosed);
  EXPECT_THAT(o.records(),
              HasSubstr(R"("read":{"first":true,"last":true,"last_xid":2002,"chunks":2})"));
  EXPECT_THAT(o.records(), HasSubstr(R"("procedure":"RENAME","filename":"a")"));
  EXPECT_THAT(o.records(), HasSubstr(R"("status":"ERR_ACCESS","rename":{"from":"a","to":"b"})"));
  EXPECT_THAT(o.records(), HasSubstr(R"("rpc":{"xid":1,"status":"ACCEPTED","auth_type":"UNIX",)"
                                     R"("creds":{"machine_name":"host","uid":1000,"gid":1001}})"));
}

// Frames of one side as "name@offset+length", in the order of their making.
std::vector<std::string> frames_of(NfsParser& p, Direction d) {
  std::vector<std::string> out;
  for (const auto& f : p.frames->of(d))
    out.push_back(std::string(kNfsProtocol.frames[f.type]) + "@" + std::to_string(f.offset) + "+" + std::to_string(f.length));
  return out;
}

TEST(NfsParser, FramesOfVersion3) {
  NfsParser p{Config{}};
  p.frames = std::make_unique<applayer::FrameSet>();
  const std::string asked = marked(call(1, 3, 3, opaque(kDir) + opaque("a.txt")));
  const std::string answered = marked(reply(1, be(2) + be(0)));
  // credentials: flavour, size and 24 bytes; the verifier's 8 belong to none
  const std::vector<std::string> client = {"rpc.pdu@0+88", "rpc.hdr@0+28", "rpc.data@28+60", "rpc.creds@28+32", "nfs.pdu@68+20"};
  const std::vector<std::string> server = {"rpc.pdu@0+36", "rpc.hdr@0+12", "rpc.data@12+24", "nfs.pdu@28+8", "nfs.status@28+4"};
  applayer::Input in;
  in.data = as_bytes(asked).first(60);   // a piece: waits, makes no frames yet
  ASSERT_EQ(p.parse(Direction::kToServer, in).consumed, 0u);
  EXPECT_TRUE(frames_of(p, Direction::kToServer).empty());
  in.data = as_bytes(asked);
  ASSERT_EQ(p.parse(Direction::kToServer, in).consumed, asked.size());
  EXPECT_EQ(frames_of(p, Direction::kToServer), client);
  in.data = as_bytes(answered);
  ASSERT_EQ(p.parse(Direction::kToClient, in).consumed, answered.size());
  EXPECT_EQ(frames_of(p, Direction::kToClient), server);
}

TEST(NfsParser, FramesOfVersion4OnDatagrams) {
  NfsParser p{Config{}};
  p.frames = std::make_unique<applayer::FrameSet>();
  applayer::Input in;
  in.datagram = true;
  const std::string asked = call(1, 4, 1, opaque("tag") + be(0) + be(1) + be(24));
  in.data = as_bytes(asked);
  ASSERT_EQ(p.parse(Direction::kToServer, in).consumed, asked.size());
  EXPECT_EQ(frames_of(p, Direction::kToServer),
            (std::vector<std::string>{"rpc.pdu@0+84", "rpc.hdr@0+24", "rpc.data@24+60", "rpc.creds@24+32", "nfs4.pdu@64+20", "nfs4.hdr@64+12", "nfs4.ops@76+8"}));
  const std::string answered = reply(1, be(0) + opaque("tag") + be(1) + be(24) + be(0));
  in.data = as_bytes(answered);
  ASSERT_EQ(p.parse(Direction::kToClient, in).consumed, answered.size());
  EXPECT_EQ(frames_of(p, Direction::kToClient),
            (std::vector<std::string>{"rpc.pdu@0+48", "rpc.hdr@0+8", "rpc.data@8+40", "nfs4.pdu@24+24", "nfs4.status@24+4", "nfs4.hdr@24+12", "nfs4.ops@36+12"}));
}

TEST(NfsParser, GapWithinAFile) {
  NfsParser p{Config{}};
  applayer::Input in;
  const auto feed = [&](std::string_view s) {
    in.data = as_bytes(s);
    EXPECT_EQ(p.parse(Direction::kToServer, in).consumed, s.size());
  };
  const std::string write =
      marked(call(9, 3, 7, opaque("other") + be(0, 8) + be(5000) + be(0) + opaque(text(5000))));
  feed(write.substr(0, 2000));
  ASSERT_TRUE(p.gap(Direction::kToServer, 1000));
  feed(write.substr(3000));
  const auto& f =
      static_cast<Transaction&>(*p.transactions.at(0)).files(Direction::kToServer)->files()[0];
  EXPECT_EQ(f.size, 5000u);
  EXPECT_TRUE(f.gaps);
}

TEST(NfsParser, NamesFromDirectories) {
  Conversation c{&kNfsProtocol};
  c.client(marked(call(1, 3, 17, opaque(kDir) + be(0, 8) + be(0, 8) + be(512) + be(4096))));
  c.server(marked(reply(1, be(0) + be(0) + be(0, 8) + be(1) + be(7, 8) + opaque("listed") +
                               be(1, 8) + be(0) + be(1) + opaque(kFile) + be(0) + be(1))));
  c.client(marked(call(2, 3, 4, opaque(kFile) + be(1))));
  EXPECT_EQ(nth(run(c), 1).name, "listed");
}

TEST(NfsParser, Version2OnDatagrams) {
  const std::string dir(32, 'd'), file(32, 'f');
  const std::string attributes = std::string(20, '\0') + be(11) + std::string(44, '\0');
  Conversation c{&kNfsProtocol};
  c.datagrams();
  c.client(call(1, 2, 4, dir + opaque("x"))).server(reply(1, be(0) + file + attributes));
  c.client(call(2, 2, 6, file + be(0) + be(100) + be(0)));
  c.server(reply(2, be(0) + attributes + opaque("hello world")));
  c.client(call(3, 2, 8, file + be(0) + be(0) + be(0) + opaque("never answered")));
  applayer::contract::check_contract(c);
  const auto o = run(c);
  const auto& f = nth(o, 1).files(Direction::kToClient)->files().at(0);
  EXPECT_EQ(f.name, "x");
  EXPECT_EQ(f.window, "hello world");
  EXPECT_EQ(f.state, FileState::kClosed);
  EXPECT_EQ(nth(o, 2).files(Direction::kToServer), nullptr);
  EXPECT_THAT(o.records(), HasSubstr("log nfs {}"));
}

TEST(NfsParser, CompoundsOfVersion4) {
  Conversation c{&kNfsProtocol};
  const std::string state(16, 's');
  c.client(marked(call(
      1, 4, 1, be(0) + be(0) + be(3) + be(22) + opaque(kDir) + be(15) + opaque("f.bin") + be(10))));
  c.server(marked(reply(1, be(0) + be(0) + be(3) + be(22) + be(0) + be(15) + be(0) + be(10) +
                               be(0) + opaque(kFile))));
  c.client(marked(
      call(2, 4, 1,
           be(0) + be(0) + be(2) + be(22) + opaque(kFile) + be(25) + state + be(0, 8) + be(100))));
  c.server(marked(reply(
      2, be(0) + be(0) + be(2) + be(22) + be(0) + be(25) + be(0) + be(1) + opaque("content"))));
  applayer::contract::check_contract(c);
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_THAT(o.records(), HasSubstr(R"("version":4,"procedure":"LOOKUP","filename":"f.bin")"));
  const auto& f = nth(o, 1).files(Direction::kToClient)->files().at(0);
  EXPECT_EQ(f.name, "f.bin");
  EXPECT_EQ(f.window, "content");
}

TEST(NfsParser, OpenCallsAreBounded) {
  NfsParser p{Config{.files = {}, .transactions_max = 10}};
  applayer::Input in;
  for (uint32_t i = 0; i < 50; ++i) {
    const std::string c = marked(call(i, 3, 4, opaque(kFile) + be(1)));
    in.data = as_bytes(c);
    (void)p.parse(Direction::kToServer, in);
  }
  size_t open = 0;
  for (const auto& tx : p.transactions)
    open += !static_cast<Transaction&>(*tx).done(Direction::kToClient);
  EXPECT_EQ(open, 10u);
}

TEST(NfsProbe, CallsAndAnswers) {
  const auto probe = [](Direction d, std::string_view s) {
    return kNfsProtocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToServer, marked(call(1, 3, 0, ""))), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, marked(reply(1, be(0)))), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, marked(call(1, 3, 0, ""))), ProbeVerdict::kReversed);
  EXPECT_EQ(probe(Direction::kToServer, "GET / HTTP/1.1\r\nHost: example\r\n"), ProbeVerdict::kNo);
}

}  // namespace
}  // namespace vong::nfs
