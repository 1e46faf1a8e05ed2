#include "base/tight_append.h"

#include <gtest/gtest.h>

namespace vong {
namespace {

TEST(AppendTightly, AppendsAndNeverHoldsAQuarterMoreThanItNeeds) {
  std::string tight, plain;
  for (size_t n = 1; n < 400; ++n) {
    const std::string more(n * 7 % 1461, static_cast<char>('a' + n % 26));
    append_tightly(tight, more);
    plain += more;
    ASSERT_LE(tight.capacity(), std::max<size_t>(tight.size() + tight.size() / 4, 30));
  }
  EXPECT_EQ(tight, plain);
}

TEST(AppendTightly, GrowsSeldomWhenBytesComeOneByOne) {
  std::string s;
  size_t moves = 0;
  for (size_t i = 0; i < 100'000; ++i) {
    const size_t before = s.capacity();
    append_tightly(s, "x");
    moves += s.capacity() != before;
  }
  EXPECT_LT(moves, 60u);
}

TEST(AppendTightly, APieceOfTheStringItself) {
  std::string s = "0123456789abcdef0123456789abcdef";
  append_tightly(s, std::string_view(s).substr(10));
  EXPECT_EQ(s, "0123456789abcdef0123456789abcdefabcdef0123456789abcdef");
}

}  // namespace
}  // namespace vong
