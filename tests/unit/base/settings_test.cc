#include "base/settings.h"

#include <gtest/gtest.h>

namespace vong {
namespace {

TEST(Settings, ReadsSizesWithUnits) {
  EXPECT_EQ(parse_size_bytes("100"), 100u);
  EXPECT_EQ(parse_size_bytes("100kb"), 102400u);
  EXPECT_EQ(parse_size_bytes("1 MiB"), 1048576u);
  EXPECT_EQ(parse_size_bytes("64kb"), 65536u);
  EXPECT_EQ(parse_size_bytes("1.5 MiB"), 1572864u);
  EXPECT_EQ(parse_size_bytes("2t"), uint64_t{2} << 40);
  EXPECT_EQ(parse_size_bytes("0.3"), 0u);
  for (const char* wrong : {"1 parsec", "mb", "-1", ".5k", "1kib2", "1.2.3", "99999999999999999999t", "9000000t"})
    EXPECT_FALSE(parse_size_bytes(wrong)) << wrong;
  EXPECT_FALSE(parse_size_bytes("99999999999 gb"));
}

TEST(Settings, ChildrenOfASequenceComeInNumericOrder) {
  Settings s;
  for (int i = 0; i < 12; ++i) s.set("outputs." + std::to_string(i) + ".name", "x");
  s.set("outputs-other", "1");
  const auto names = s.children("outputs");
  ASSERT_EQ(names.size(), 12u);
  EXPECT_EQ(names[2], "2");
  EXPECT_EQ(names[10], "10");
}

TEST(Settings, HasLooksBelowThePathToo) {
  Settings s;
  s.set("a-b.c", "1");
  s.set("a.b.c", "1");
  EXPECT_TRUE(s.has("a.b"));
  EXPECT_TRUE(s.has("a"));
  EXPECT_FALSE(s.has("a.b.d"));
  EXPECT_FALSE(s.has("b"));
}

}  // namespace
}  // namespace vong
