#include "rules/matcher/literal_index.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "rules/matcher/run_cost.h"
#include "tests/unit/rules/matcher/slow_twin.h"

namespace vong::matcher {
namespace {

// Both ways to look at the places of data must find the same.
class LiteralIndexScan : public testing::TestWithParam<LiteralIndex::Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, LiteralIndexScan,
                         testing::Values(LiteralIndex::Way::kOneByOne, LiteralIndex::Way::kGathered,
                                         LiteralIndex::Way::kQuicker));

TEST_P(LiteralIndexScan, FindsWhatTheSlowTwinFinds) {
  std::mt19937 random(7);
  LiteralMarks marks;
  for (int round = 0; round < 60; ++round) {
    // Few different bytes, letters in both cases among them: many runs are shared, many literals
    // stand.
    const std::string_view bytes =
        round % 2 == 0 ? std::string_view("aAbB\0.@", 7)
                       : std::string_view("abcdefghijklmnopqrstuvwxyzABC\0\xff 01", 34);
    const auto text = [&](size_t n) {
      std::string s;
      for (size_t i = 0; i < n; ++i) s += bytes[random() % bytes.size()];
      return s;
    };
    PatternSet set;
    LiteralIndex index;
    const std::string data = text(1 + random() % 600);
    for (uint32_t id = 0; id < 200; ++id) {
      const size_t n = 4 + random() % 12;
      std::string literal = text(n);
      if (id % 3 == 0 && data.size() > n) literal = data.substr(random() % (data.size() - n), n);
      const bool nocase = random() % 2 == 0;
      if (nocase) {
        for (char& c : literal) c = static_cast<char>(ascii_lower(static_cast<uint8_t>(c)));
      }
      if (!LiteralIndex::suits(as_bytes(literal))) continue;
      set.add_literal(id, literal, {.nocase = nocase});
      index.add(id, as_bytes(literal), nocase);
    }
    index.finish(GetParam());
    for (size_t from : {size_t{0}, size_t{1}, size_t{2}, size_t{3}}) {
      const Bytes part = as_bytes(data).subspan(std::min(from, data.size()));
      EXPECT_EQ(found(index, marks, part), expected(set, part));
    }
  }
}

TEST_P(LiteralIndexScan, LiteralsAtBothEndsOfTheData) {
  LiteralIndex index;
  index.add(0, as_bytes("the head"), false);
  index.add(1, as_bytes("the very tail"), true);
  index.finish(GetParam());
  LiteralMarks marks;
  EXPECT_EQ(found(index, marks, as_bytes("the head....... the Very TAIL")),
            (std::set<uint32_t>{0, 1}));
  EXPECT_EQ(found(index, marks, as_bytes("the head")), (std::set<uint32_t>{0}));
  EXPECT_EQ(found(index, marks, as_bytes("the hea")), (std::set<uint32_t>{}));
  EXPECT_EQ(found(index, marks, as_bytes("THE VERY TAIL")), (std::set<uint32_t>{1}));
  EXPECT_EQ(found(index, marks, as_bytes("THE HEAD")), (std::set<uint32_t>{}));
}

TEST(LiteralIndex, LeavesShortLiteralsAndPaddingToOthers) {
  EXPECT_TRUE(LiteralIndex::suits(as_bytes("four")));
  EXPECT_FALSE(LiteralIndex::suits(as_bytes("fou")));
  EXPECT_FALSE(LiteralIndex::suits(as_bytes("aaaaaaaaaaaa")));
  EXPECT_FALSE(LiteralIndex::suits(as_bytes("aAaAaA")));  // padding once letters count as one
  EXPECT_TRUE(LiteralIndex::suits(as_bytes("aaaaaab")));
  EXPECT_FALSE(LiteralIndex::suits(as_bytes(std::string(0x10000, 'x') + "y")));
}

TEST_P(LiteralIndexScan, FourBytesAtEveryPlace) {
  LiteralIndex index;
  index.add(3, as_bytes("wxyz"), false);
  index.finish(GetParam());
  LiteralMarks marks;
  for (size_t length = 0; length < 40; ++length) {
    for (size_t at = 0; at + 4 <= length; ++at) {
      std::string data(length, '.');
      EXPECT_EQ(found(index, marks, as_bytes(data)), (std::set<uint32_t>{}));
      data.replace(at, 4, "wxyz");
      EXPECT_EQ(found(index, marks, as_bytes(data)), (std::set<uint32_t>{3}))
          << length << ' ' << at;
    }
  }
}

TEST_P(LiteralIndexScan, NothingInNothing) {
  LiteralIndex index;
  index.finish(GetParam());
  LiteralMarks marks;
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(found(index, marks, as_bytes("anything")), (std::set<uint32_t>{}));
}

TEST_P(LiteralIndexScan, ManyLiteralsOfOneRunAreAllFound) {
  LiteralIndex index;
  PatternSet set;
  std::string data;
  for (uint32_t id = 0; id < 500; ++id) {
    const std::string literal = "same..." + std::to_string(id);
    index.add(id, as_bytes(literal), false);
    set.add_literal(id, literal);
    if (id % 7 == 0) data += literal + "/";
  }
  index.finish(GetParam());
  LiteralMarks marks;
  EXPECT_EQ(found(index, marks, as_bytes(data)), expected(set, as_bytes(data)));
}

TEST(RunCost, WhatIsCommonInTrafficIsNotRare) {
  const auto rarity = [](std::string_view run) { return rarity_of(as_bytes(run).data()); };
  const std::string_view zeros("\0\0\0\0", 4), number("\1\0\0\0", 4);
  EXPECT_LT(rarity(zeros), rarity(number));
  EXPECT_LT(rarity(number), rarity("\x90\x12\xe7\x44"));
  EXPECT_LT(rarity("the "), rarity("qx9j"));
  EXPECT_LT(rarity("\r\n\r\n"), rarity("~|{}"));
  EXPECT_EQ(rarity("abcd"), rarity("ABCD"));
}

}  // namespace
}  // namespace vong::matcher
