#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/tftp/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::tftp {
namespace {

using applayer::contract::Conversation;
using testing::HasSubstr;

const std::string kRead("\0\1a.txt\0OcTet\0", 14), kData("\0\3\0\1bytes", 9);

TEST(TftpParser, Contract) {
  applayer::contract::check_contract(
      Conversation{&kTftpProtocol}.datagrams().client(kRead).client(kData).server(kData));
}

TEST(TftpParser, RequestsAreTransactions) {
  const auto o = run(Conversation{&kTftpProtocol}.datagrams().client(kRead));
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_THAT(o.records(),
              HasSubstr(R"({"tftp":{"packet":"read","file":"a.txt","mode":"octet"}})"));
}

TEST(TftpParser, OtherModesAndAnswersAreNot) {
  const auto o = run(Conversation{&kTftpProtocol}
                         .datagrams()
                         .client(std::string("\0\2a\0strange\0", 12))
                         .server(kRead));
  EXPECT_TRUE(o.transactions().empty());
  EXPECT_FALSE(o.failed);
}

}  // namespace
}  // namespace vong::tftp
