#include "rules/matcher/matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "rules/matcher/naive_matcher.h"

namespace vong::matcher {
namespace {

std::shared_ptr<const Matcher> compile(const PatternSet& set, bool single_match = false) {
  auto matcher = Matcher::compile(set, {.single_match = single_match});
  EXPECT_TRUE(matcher) << (matcher ? "" : matcher.error().message);
  return matcher ? *matcher : nullptr;
}

std::vector<Match> scan(const Matcher& matcher, Bytes data) {
  Scratch scratch;
  EXPECT_TRUE(scratch.prepare(matcher));
  std::vector<Match> matches;
  EXPECT_EQ(matcher.scan(data, scratch,
                         [&](uint32_t id, uint64_t end) {
                           matches.push_back({id, end});
                           return true;
                         }),
            ScanResult::kDone);
  std::sort(matches.begin(), matches.end());
  return matches;
}

std::vector<Match> scan(const PatternSet& set, std::string_view data) {
  const auto matcher = compile(set);
  return matcher ? scan(*matcher, as_bytes(data)) : std::vector<Match>();
}

TEST(Matcher, ReportsEveryEndOfEveryLiteral) {
  PatternSet set;
  set.add_literal(7, "ab");
  set.add_literal(9, "AB", {.nocase = true});
  EXPECT_EQ(scan(set, "abxAb"), (std::vector<Match>{{7, 2}, {9, 2}, {9, 5}}));
}

TEST(Matcher, LiteralsAreBytesNotExpressions) {
  PatternSet set;
  set.add_literal(1, "a.c*");
  set.add_literal(2, std::string_view("\0\xff", 2));
  EXPECT_EQ(scan(set, std::string_view("abcc a.c*\0\xff", 11)),
            (std::vector<Match>{{1, 9}, {2, 11}}));
}

TEST(Matcher, BoundsHoldTheWholeMatch) {
  PatternSet set;
  set.add_literal(1, "ab", {.depth = 4});
  set.add_literal(2, "ab", {.offset = 2});
  set.add_literal(3, "ab", {.offset = 1, .depth = 4});
  EXPECT_EQ(scan(set, "abab_ab"), (std::vector<Match>{{1, 2}, {1, 4}, {2, 4}, {2, 7}, {3, 4}}));
}

TEST(Matcher, ExpressionsAndLiteralsMixInOneSet) {
  PatternSet set;
  set.add_literal(1, "a.c");
  set.add_regex(2, "a.c", {.nocase = true});
  set.add_regex(3, "^x", {.multi_line = true});
  EXPECT_EQ(scan(set, "a.c ABC\nx"), (std::vector<Match>{{1, 3}, {2, 3}, {2, 7}, {3, 9}}));
}

TEST(Matcher, SingleMatchReportsAnIdOnce) {
  PatternSet set;
  set.add_literal(1, "ab");
  set.add_literal(2, "b");
  const auto matches = scan(*compile(set, true), as_bytes("ab ab ab"));
  ASSERT_EQ(matches.size(), 2u);
  EXPECT_EQ(matches[0], (Match{1, 2}));
  EXPECT_EQ(matches[1], (Match{2, 2}));
}

TEST(Matcher, EmptySetNeverMatches) { EXPECT_TRUE(scan(PatternSet(), "abc").empty()); }

TEST(Matcher, EmptyDataIsScanned) {
  PatternSet set;
  set.add_literal(1, "a");
  EXPECT_TRUE(scan(set, "").empty());
  EXPECT_TRUE(scan(*compile(set), Bytes()).empty());
  PatternSet empty_expression;
  empty_expression.add_regex(1, "^$", {.allow_empty = true});
  EXPECT_EQ(scan(*compile(empty_expression), Bytes()), (std::vector<Match>{{1, 0}}));
}

TEST(Matcher, CallbackStopsTheScan) {
  PatternSet set;
  set.add_literal(1, "a");
  const auto matcher = compile(set);
  Scratch scratch;
  ASSERT_TRUE(scratch.prepare(*matcher));
  int calls = 0;
  EXPECT_EQ(
      matcher->scan(as_bytes("aaaa"), scratch, [&](uint32_t, uint64_t) { return ++calls < 2; }),
      ScanResult::kStopped);
  EXPECT_EQ(calls, 2);
}

TEST(Matcher, ScratchThatWasNotPreparedIsAnError) {
  PatternSet set;
  set.add_literal(1, "a");
  Scratch scratch;
  EXPECT_EQ(compile(set)->scan(as_bytes("a"), scratch, [](uint32_t, uint64_t) { return true; }),
            ScanResult::kError);
}

TEST(Matcher, ScratchInUseIsAnErrorNotACrash) {
  PatternSet set;
  set.add_literal(1, "a");
  const auto matcher = compile(set);
  Scratch scratch;
  ASSERT_TRUE(scratch.prepare(*matcher));
  ScanResult inner = ScanResult::kDone;
  EXPECT_EQ(matcher->scan(as_bytes("a"), scratch,
                          [&](uint32_t, uint64_t) {
                            inner = matcher->scan(as_bytes("a"), scratch,
                                                  [](uint32_t, uint64_t) { return true; });
                            return true;
                          }),
            ScanResult::kDone);
  EXPECT_EQ(inner, ScanResult::kError);
}

TEST(Matcher, OneScratchServesSeveralMatchers) {
  PatternSet a;
  a.add_literal(1, "aaaa");
  PatternSet b;
  b.add_regex(2, "b+c{3,5}d");
  const auto first = compile(a);
  const auto second = compile(b);
  Scratch scratch;
  ASSERT_TRUE(scratch.prepare(*first));
  ASSERT_TRUE(scratch.prepare(*second));
  EXPECT_GT(scratch.memory_bytes(), 0u);
  for (const auto& matcher : {first, second}) {
    int hits = 0;
    EXPECT_EQ(matcher->scan(as_bytes("aaaabcccd"), scratch,
                            [&](uint32_t, uint64_t) { return ++hits > 0; }),
              ScanResult::kDone);
    EXPECT_EQ(hits, 1);
  }
}

TEST(Matcher, ThreadsShareAMatcher) {
  PatternSet set;
  set.add_literal(1, "needle");
  const auto matcher = compile(set);
  const std::string data = std::string(5000, 'x') + "needle" + std::string(5000, 'y');
  std::vector<int> hits(4);
  {
    std::vector<std::jthread> threads;
    for (int& mine : hits) {
      threads.emplace_back([&] {
        Scratch scratch;
        if (!scratch.prepare(*matcher)) return;
        for (int i = 0; i < 200; ++i) {
          (void)matcher->scan(as_bytes(data), scratch,
                              [&](uint32_t, uint64_t) { return ++mine > 0; });
        }
      });
    }
  }
  for (const int mine : hits) EXPECT_EQ(mine, 200);
}

TEST(Matcher, RefusalsNameThePattern) {
  const auto problem = [](const PatternSet& set) {
    const auto matcher = Matcher::compile(set);
    if (matcher) return std::string("none");
    return std::to_string(matcher.error().pattern_index) + ": " + matcher.error().message;
  };
  PatternSet set;
  set.add_literal(1, "good");
  set.add_regex(2, "a(b");
  EXPECT_EQ(problem(set).substr(0, 21), "1: expression 'a(b': ");
  PatternSet empty;
  empty.add_literal(1, "");
  EXPECT_EQ(problem(empty), "0: literal '': is empty");
  PatternSet deep;
  deep.add_literal(1, "abc\n", {.depth = 3});
  EXPECT_EQ(problem(deep), "0: literal 'abc\\x0a': is longer than its depth of 3 bytes");
  PatternSet nul;
  nul.add_regex(1, std::string_view("a\0b", 3));
  EXPECT_EQ(problem(nul), "0: expression 'a\\x00b': NUL byte in an expression");
  EXPECT_FALSE(Matcher::check(set.patterns()[1]));
  EXPECT_TRUE(Matcher::check(set.patterns()[0]));
}

TEST(Matcher, LongLiteralsCompile) {
  for (const bool bounded : {false, true}) {
    PatternSet set;
    const std::string text(4000, '\x01');
    set.add_literal(1, text, {.offset = bounded ? 1u : 0u});
    EXPECT_EQ(scan(set, "xx" + text + "x"), (std::vector<Match>{{1, 4002}})) << bounded;
  }
}

TEST(Matcher, SerializedFormGivesTheSameAnswers) {
  PatternSet set;
  set.add_literal(3, "abc");
  const auto matcher = compile(set);
  const auto bytes = matcher->serialize();
  ASSERT_TRUE(bytes);
  const auto again = Matcher::deserialize(as_bytes(*bytes), set.size());
  ASSERT_TRUE(again);
  EXPECT_EQ(scan(**again, as_bytes("xabc")), (std::vector<Match>{{3, 4}}));
  EXPECT_FALSE(Matcher::deserialize(as_bytes(bytes->substr(1)), set.size()));
  EXPECT_FALSE(Matcher::deserialize(Bytes(), set.size()));
}

// Small data takes a way of its own in Hyperscan.
TEST(Matcher, EveryLiteralIsFoundInDataThatIsHardlyLonger) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    PatternSet set;
    std::vector<std::string> texts;
    for (uint32_t id = 0; id < 80; ++id) {
      std::string text;
      for (size_t n = 2 + random() % 3 * (random() % 6); n > 0; --n) {
        text += static_cast<char>(random() % 3 == 0 ? random() % 256 : random() % 3);
      }
      set.add_literal(id, text, {.nocase = random() % 8 == 0});
      texts.push_back(std::move(text));
    }
    const auto matcher = compile(set, true);
    ASSERT_TRUE(matcher);
    for (const std::string& text : texts) {
      const std::string data = std::string(random() % 12, '\x05') + text + std::string(random() % 12, '\x06');
      std::vector<uint32_t> expected, ids;
      for (const Match& match : naive_scan(set, as_bytes(data))) expected.push_back(match.id);
      std::sort(expected.begin(), expected.end());
      expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
      for (const Match& match : scan(*matcher, as_bytes(data))) ids.push_back(match.id);
      ASSERT_EQ(ids, expected) << "round " << round;
    }
  }
}

// Random patterns over a small alphabet (so that they overlap and nest), random data.
class MatcherTwin : public ::testing::TestWithParam<int> {
 protected:
  std::string random_text(size_t bytes_max, std::string_view alphabet) {
    std::string text;
    const size_t n = 1 + random_() % bytes_max;
    for (size_t i = 0; i < n; ++i) text += alphabet[random_() % alphabet.size()];
    return text;
  }
  PatternSet random_set(bool bounded) {
    PatternSet set;
    // Bounds make Hyperscan compile slowly.
    const size_t n = 1 + random_() % (GetParam() % 5 == 0 && !bounded ? 400 : 10);
    for (size_t i = 0; i < n; ++i) {
      const std::string text = random_text(GetParam() % 3 == 0 ? 3 : 12, kAlphabet);
      LiteralOptions options{.nocase = random_() % 2 == 0};
      if (bounded && random_() % 2 == 0) options.offset = static_cast<uint32_t>(random_() % 40);
      if (bounded && random_() % 2 == 0) {
        options.depth = static_cast<uint32_t>(text.size() + random_() % 40);
      }
      set.add_literal(static_cast<uint32_t>(i), text, options);
    }
    return set;
  }

  static constexpr std::string_view kAlphabet{"aAbB\0\xff.|", 8};
  std::mt19937 random_{static_cast<unsigned>(GetParam())};
};

TEST_P(MatcherTwin, AgreesOnRandomSetsAndData) {
  for (const bool bounded : {false, true}) {
    const PatternSet set = random_set(bounded);
    const auto every = compile(set, false);
    const auto single = compile(set, true);
    ASSERT_TRUE(every && single);
    for (int round = 0; round < 10; ++round) {
      const std::string data = random_text(GetParam() % 4 == 0 ? 2000 : 60, kAlphabet);
      const std::vector<Match> expected = naive_scan(set, as_bytes(data));
      ASSERT_EQ(scan(*every, as_bytes(data)), expected) << "seed " << GetParam();
      // With single match: the same ids, each once, at one of its ends.
      std::vector<uint32_t> expected_ids;
      for (const Match& match : expected) expected_ids.push_back(match.id);
      expected_ids.erase(std::unique(expected_ids.begin(), expected_ids.end()), expected_ids.end());
      std::vector<uint32_t> ids;
      for (const Match& match : scan(*single, as_bytes(data))) {
        ids.push_back(match.id);
        EXPECT_TRUE(std::binary_search(expected.begin(), expected.end(), match));
      }
      ASSERT_EQ(ids, expected_ids) << "seed " << GetParam();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MatcherTwin, ::testing::Range(1, 31));

}  // namespace
}  // namespace vong::matcher
