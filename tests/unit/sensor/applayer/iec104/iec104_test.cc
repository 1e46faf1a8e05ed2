#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/iec104/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::iec104 {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out.push_back(static_cast<char>(v));
  return out;
}
std::string apdu(const std::string& body) {
  return bytes({0x68, static_cast<int>(body.size())}) + body;
}
const std::string kStart = apdu(bytes({7, 0, 0, 0})), kAcknowledge = apdu(bytes({1, 0, 2, 0}));
// A single command (type 45), activation, station 1, object 0x30201.
const std::string kCommand = apdu(bytes({0, 0, 0, 0, 45, 1, 6, 0, 1, 0, 1, 2, 3, 0x81}));

TEST(Iec104Parser, Contract) {
  Conversation c{&kIec104Protocol};
  c.client(kStart + kCommand).server(apdu(bytes({0x0b, 0, 0, 0})) + kAcknowledge);
  applayer::contract::check_contract(c);
}

TEST(Iec104Parser, CommandsAreLogged) {
  const auto o = run(Conversation{&kIec104Protocol}.client(kStart + kCommand + kAcknowledge));
  EXPECT_EQ(o.transactions().size(), 3u);
  EXPECT_THAT(o.records(), HasSubstr(R"({"iec104":{"format":"u","function":"startdt_act"}})"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"({"iec104":{"format":"i","type_id":45,"type":"c_sc_na_1","cause_id":6,"cause":"activation","negative":false,"test":false,"originator":0,"asdu_address":1,"objects":1,"object_address":197121}})"));
}

TEST(Iec104Events, Damage) {
  const auto of = [](const std::string& what) {
    return run(Conversation{&kIec104Protocol}.client(kStart + what))
        .transactions()
        .back()
        ->events();
  };
  EXPECT_THAT(of(apdu(bytes({0, 0, 0, 0, 45, 1}))), ElementsAre(kMalformedData));
  EXPECT_THAT(of(bytes({0x68, 2, 0, 0})), ElementsAre(kInvalidLength));
}

}  // namespace
}  // namespace vong::iec104
