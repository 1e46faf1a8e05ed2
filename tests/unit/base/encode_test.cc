#include "base/encode.h"

#include <gtest/gtest.h>

#include <array>

namespace vong {
namespace {

TEST(Encode, BytesAsHexadecimal) {
  const std::array<uint8_t, 3> bytes = {0x00, 0x9f, 0xa0};
  EXPECT_EQ(hex_of(bytes), "009fa0");
  EXPECT_EQ(hex_of(bytes, ':'), "00:9f:a0");
  EXPECT_EQ(hex_of(Bytes(), ':'), "");
  std::string text = "x";
  append_hex(text, Bytes(bytes).first(1));
  EXPECT_EQ(text, "x00");
}

TEST(Encode, Utf8AtEveryBorder) {
  const std::pair<char32_t, std::string> cases[] = {
      {0x7f, "\x7f"},         {0x80, "\xc2\x80"},          {0x7ff, "\xdf\xbf"},
      {0x800, "\xe0\xa0\x80"}, {0xffff, "\xef\xbf\xbf"}, {0x10000, "\xf0\x90\x80\x80"},
      {0x10ffff, "\xf4\x8f\xbf\xbf"}};
  for (const auto& [c, text] : cases) {
    std::string out;
    append_utf8(out, c);
    EXPECT_EQ(out, text) << std::hex << static_cast<uint32_t>(c);
  }
}

}  // namespace
}  // namespace vong
