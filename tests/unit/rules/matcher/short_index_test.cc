#include "rules/matcher/short_index.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "base/strings.h"
#include "tests/unit/rules/matcher/slow_twin.h"

namespace vong::matcher {
namespace {

TEST(ShortIndex, FindsWhatTheSlowTwinFinds) {
  std::mt19937 random(11);
  LiteralMarks marks;
  for (int round = 0; round < 60; ++round) {
    const std::string_view bytes =
        round % 2 == 0 ? std::string_view("aAbB\0.@", 7)
                       : std::string_view("abcdefghijklmnopqrstuvwxyzABC\0\xff 01", 34);
    const auto text = [&](size_t n) {
      std::string s;
      for (size_t i = 0; i < n; ++i) s += bytes[random() % bytes.size()];
      return s;
    };
    PatternSet set;
    ShortIndex index;
    for (uint32_t id = 0; id < 60; ++id) {
      std::string literal = text(1 + random() % 4);  // of one byte too
      if (id % 20 == 0) literal = std::string(8, literal[0]);
      const bool nocase = random() % 2 == 0;
      if (nocase) literal = to_lower(literal);
      set.add_literal(id, literal, {.nocase = nocase});
      index.add(id, as_bytes(literal), nocase);
    }
    index.finish();
    const std::string data = text(random() % ShortIndex::kLongestData);
    for (size_t length : {data.size(), size_t{3}, size_t{2}, size_t{1}, size_t{0}}) {
      const Bytes part = as_bytes(data).first(std::min(length, data.size()));
      EXPECT_EQ(found(index, marks, part), expected(set, part));
    }
  }
}

TEST(ShortIndex, LiteralsAtBothEndsAndOfOneByte) {
  ShortIndex index;
  index.add(0, as_bytes("a"), true);
  index.add(1, as_bytes("Z"), false);
  index.add(2, as_bytes("end"), false);
  index.finish();
  LiteralMarks marks;
  EXPECT_EQ(found(index, marks, as_bytes("A..end")), (std::set<uint32_t>{0, 2}));
  EXPECT_EQ(found(index, marks, as_bytes("z")), (std::set<uint32_t>{}));
  EXPECT_EQ(found(index, marks, as_bytes("Z")), (std::set<uint32_t>{1}));
  EXPECT_EQ(found(index, marks, as_bytes("en")), (std::set<uint32_t>{}));
  EXPECT_EQ(found(index, marks, as_bytes("")), (std::set<uint32_t>{}));
}

}  // namespace
}  // namespace vong::matcher
