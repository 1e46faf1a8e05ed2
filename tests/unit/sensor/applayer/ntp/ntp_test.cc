#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/ntp/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::ntp {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

std::string message(int first, int stratum) {
  return std::string{static_cast<char>(first), static_cast<char>(stratum)} + std::string(10, '\0') +
         "LOCL" + std::string(32, '\0');
}

TEST(NtpParser, Contract) {
  applayer::contract::check_contract(
      Conversation{&kNtpProtocol}.datagrams().client(message(0x23, 0)).server(message(0x24, 2)));
}

TEST(NtpParser, EveryMessageIsLogged) {
  const auto o = run(
      Conversation{&kNtpProtocol}.datagrams().client(message(0x1b, 0)).server(message(0x24, 2)));
  EXPECT_EQ(o.transactions().size(), 2u);
  EXPECT_THAT(
      o.records(),
      HasSubstr(R"({"ntp":{"version":3,"mode":3,"stratum":0,"reference_id":"4c:4f:43:4c"}})"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(R"({"ntp":{"version":4,"mode":4,"stratum":2,"reference_id":"4c:4f:43:4c"}})"));
}

TEST(NtpEvents, OtherVersionsEndTheFlow) {
  const auto o = run(
      Conversation{&kNtpProtocol}.datagrams().client(message(0x23, 0)).client(message(0x16, 0)));
  EXPECT_TRUE(o.failed);
  EXPECT_THAT(o.transactions().at(0)->events(), ElementsAre(kMalformedData));
}

}  // namespace
}  // namespace vong::ntp
