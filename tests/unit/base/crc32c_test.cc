#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vong {
namespace {

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(std::vector<uint8_t>(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::vector<uint8_t>(32, 0xff)), 0x62a8ab43u);
  std::vector<uint8_t> rising(32);
  for (uint8_t i = 0; i < 32; ++i) rising[i] = i;
  EXPECT_EQ(crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
}

TEST(Crc32c, TheInstructionAndTheTableAgree) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(crc32c(as_bytes(text)), crc32c_portable(as_bytes(text))) << i;
    text.push_back(static_cast<char>(i * 37));
  }
}

TEST(Crc32c, GoesOnFromAnEarlierOne) {
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xe3069283u);
}

}  // namespace
}  // namespace vong
