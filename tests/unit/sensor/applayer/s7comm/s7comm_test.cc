#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/s7comm/limits.h"
#include "sensor/applayer/s7comm/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::s7comm {
namespace {

using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out.push_back(static_cast<char>(v));
  return out;
}
std::string u16(size_t n) { return bytes({static_cast<int>(n >> 8), static_cast<int>(n & 0xff)}); }
std::string tpkt(const std::string& tpdu) { return bytes({3, 0}) + u16(tpdu.size() + 4) + tpdu; }
std::string data(const std::string& unit, bool last = true) {
  return tpkt(bytes({2, 0xf0, last ? 0x80 : 0}) + unit);
}
// Kind 1 job, 7 user data.
std::string unit(int kind, int reference, const std::string& parameters,
                 const std::string& payload = "") {
  return bytes({0x32, kind, 0, 0}) + u16(static_cast<size_t>(reference)) + u16(parameters.size()) +
         u16(payload.size()) + parameters + payload;
}
std::string ack(int reference, int error_class = 0, int code = 0) {
  return bytes({0x32, 3, 0, 0}) + u16(static_cast<size_t>(reference)) + u16(2) + u16(0) +
         bytes({error_class, code}) + bytes({5, 1});
}
std::string connect(const std::string& called, int kind = 0xe0) {
  const std::string rest = bytes({kind, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2,
                                  static_cast<int>(called.size())}) +
                           called;
  return tpkt(bytes({static_cast<int>(rest.size())}) + rest);
}
// Writes one byte at bit 0x1234 of data block 7.
const std::string kWrite =
    unit(1, 5, bytes({5, 1, 0x12, 10, 0x10, 2, 0, 1, 0, 7, 0x84, 0, 0x12, 0x34}),
         bytes({0, 4, 0, 8, 1}));
const std::string kStop = unit(1, 6, bytes({0x29, 0, 0, 0, 0, 0, 9}) + "P_PROGRAM");

TEST(S7commParser, Contract) {
  Conversation c{&kS7commProtocol};
  c.client(connect(bytes({1, 2})) + data(kWrite))
      .server(connect(bytes({1, 2}), 0xd0) + data(ack(5)))
      .client(data(kStop))
      .server(data(ack(6)));
  applayer::contract::check_contract(c);
}

TEST(S7commParser, JobAndAnswerAreOneTransaction) {
  const auto o =
      run(Conversation{&kS7commProtocol}.client(data(kWrite)).server(data(ack(5, 0x81, 4))));
  EXPECT_EQ(o.transactions().size(), 1u);
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"({"s7comm":{"kind":"job","reference":5,"function_id":5,"function":"write_var","item_count":1,"items":[)"
          R"({"area":"data_block","data_block":7,"address":4660,"count":1}],"answered":true,"error_class":129,"error_code":4}})"));
}

TEST(S7commParser, ServicesAreNamed) {
  const auto o = run(Conversation{&kS7commProtocol}.client(
      data(kStop) + data(unit(1, 7, bytes({0x28, 0, 0, 0, 0, 0, 0, 0xfd, 0, 0, 9}) + "P_PROGRAM")) +
      data(unit(1, 8, bytes({0x1a, 0, 1, 0, 0, 0, 0, 0, 9}) + "_0800001P"))));
  EXPECT_THAT(o.records(), HasSubstr(R"("function":"plc_stop","name":"P_PROGRAM")"));
  EXPECT_THAT(o.records(), HasSubstr(R"("function":"plc_control","name":"P_PROGRAM")"));
  EXPECT_THAT(o.records(), HasSubstr(R"("function":"request_download","name":"_0800001P")"));
}

TEST(S7commParser, UnitsInPartsAreJoined) {
  const auto o = run(Conversation{&kS7commProtocol}.client(data(kStop.substr(0, 9), false) +
                                                           data(kStop.substr(9))));
  EXPECT_THAT(o.records(), HasSubstr(R"("function":"plc_stop","name":"P_PROGRAM")"));
}

TEST(S7commParser, PartsAreBounded) {
  std::string parts = data(kStop);
  for (size_t n = 0; n < 2 * kMaxUnitBytes; n += 60'000)
    parts += data(std::string(60'000, 'x'), false);
  const auto o = run(Conversation{&kS7commProtocol}.client(parts + data("") + data(kWrite)));
  ASSERT_EQ(o.transactions().size(), 2u);  // the one behind is read again
  EXPECT_THAT(o.transactions().front()->events(), ElementsAre(kUnitTooLong));
}

TEST(S7commParser, JobsWithoutAnswersAreBounded) {
  std::string jobs;
  for (int i = 0; i < 2 * static_cast<int>(kMaxOpenJobs); ++i)
    jobs += data(unit(1, i, bytes({0xf0})));
  const auto o = run(Conversation{&kS7commProtocol}.client(jobs));
  EXPECT_EQ(o.transactions().size(), 2 * kMaxOpenJobs);
}

TEST(S7commParser, OnlyOpenJobsCountForTheirBound) {
  Conversation talk{&kS7commProtocol};
  talk.client(data(unit(1, 9999, bytes({0xf0}))));
  for (int i = 0; i < 2 * static_cast<int>(kMaxOpenJobs); ++i)
    talk.client(data(unit(1, i, bytes({0xf0})))).server(data(ack(i)));
  const auto o = run(talk.server(data(ack(9999))));
  EXPECT_THAT(o.records(), Not(HasSubstr(R"("answered":false)")));
}

TEST(S7commEvents, Damage) {
  const auto of = [](const std::string& what) {
    return run(Conversation{&kS7commProtocol}.client(data(kStop) + what))
        .transactions()
        .back()
        ->events();
  };
  EXPECT_THAT(of(data(unit(1, 9, bytes({5, 4, 0x12, 10})))), ElementsAre(kMalformedData));
  EXPECT_THAT(of(data("2")), ElementsAre(kMalformedData));
  EXPECT_THAT(of(data(ack(99))), ElementsAre(kUnexpectedAnswer));
  EXPECT_THAT(of("GET / HTTP/1.1\r\n"), ElementsAre(kMalformedData));
}

TEST(S7commProbe, ControllersAndNotOthersOfTheSameTransport) {
  const auto probe = [](const std::string& s) {
    return kS7commProtocol.probe.probe(Direction::kToServer, as_bytes(s));
  };
  EXPECT_EQ(probe(connect(bytes({1, 2}))), ProbeVerdict::kYes);
  EXPECT_EQ(probe(connect("SIMATIC-ROOT-HMI")), ProbeVerdict::kYes);
  EXPECT_EQ(probe(connect(bytes({0, 1}))), ProbeVerdict::kNo);  // MMS
  EXPECT_EQ(probe(data(kStop)), ProbeVerdict::kYes);
  EXPECT_EQ(probe(data("\x60")), ProbeVerdict::kNo);
  EXPECT_EQ(probe(connect(bytes({1, 2})).substr(0, 12)), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe("GET / HTTP/1.1\r\n"), ProbeVerdict::kNo);
}

}  // namespace
}  // namespace vong::s7comm
