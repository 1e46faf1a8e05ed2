#include "correlator/verdicts/history.h"

#include <gtest/gtest.h>

#include "correlator/verdicts/verdict.h"

namespace vong::verdicts {
namespace {

std::string id(unsigned n) {
  char text[33];
  std::snprintf(text, sizeof text, "%016x%016x", n + 1, 0u);
  return text;
}

TEST(Verdict, SaysWhatIsWrongWithARecord) {
  const std::string good =
      R"({"incident_id":")" + id(1) +
      R"(","verdict":"false_positive","timestamp":"2026-11-20T08:00:00Z","agency":"G02","x":1})";
  const auto v = read_verdict(good);
  ASSERT_TRUE(v) << v.error().message;
  EXPECT_FALSE(v->true_positive);
  EXPECT_EQ(v->agency, "G02");
  for (const char* bad : {"", "[]", "{}", R"({"incident_id":7})",
                          R"({"incident_id":"../../etc/passwd","verdict":"true_positive"})"})
    EXPECT_FALSE(read_verdict(bad)) << bad;
  EXPECT_FALSE(read_verdict(std::string(100'000, 'x')));
}

TEST(History, CountsForTheAgencyAndForTheNation) {
  History h;
  h.know(id(1), 7, 1, true);
  h.know(id(2), 7, 2, true);
  h.know(id(3), 7, 3, false);
  ASSERT_NE(h.judge(id(1), true), nullptr);
  ASSERT_NE(h.judge(id(2), false), nullptr);
  ASSERT_NE(h.judge(id(3), false), nullptr);
  EXPECT_EQ(h.judge(id(4), true), nullptr);
  EXPECT_EQ(h.of_agency(7, 1), (events::VerdictCounts{1, 0}));
  EXPECT_EQ(h.of_agency(7, 3), (events::VerdictCounts{0, 1}));
  EXPECT_EQ(h.of_nation(7), (events::VerdictCounts{1, 1})) << "the third shares nothing";
  EXPECT_EQ(h.of_nation(8), events::VerdictCounts());
}

TEST(History, IsNotEmptyAfterAVerdictOfWhoSharesNothing) {
  History h;
  h.know(id(1), 7, 1, false);
  EXPECT_TRUE(h.empty());
  (void)h.judge(id(1), false);
  EXPECT_FALSE(h.empty());
}

TEST(History, ALaterVerdictReplacesTheOneBefore) {
  History h;
  h.know(id(1), 7, 1, true);
  (void)h.judge(id(1), false);
  (void)h.judge(id(1), false);
  EXPECT_EQ(h.of_nation(7), (events::VerdictCounts{0, 1}));
  (void)h.judge(id(1), true);
  EXPECT_EQ(h.of_nation(7), (events::VerdictCounts{1, 0}));
}

TEST(Rank, FollowsSeverityAndWhatAnalystsFound) {
  using events::Severity;
  EXPECT_EQ(rank(Severity::kCritical, {}, {}), 100u);
  EXPECT_EQ(rank(Severity::kMedium, {}, {}), 60u);
  EXPECT_LT(rank(Severity::kMedium, {0, 50}, {0, 50}), 35u);
  EXPECT_GE(rank(Severity::kMedium, {0, 1000}, {0, 1000}), 30u) << "never out of sight";
  EXPECT_GT(rank(Severity::kMedium, {50, 0}, {50, 0}), 85u);
  EXPECT_LT(rank(Severity::kHigh, {0, 100}, {100, 100}), rank(Severity::kHigh, {}, {100, 100}));
  EXPECT_EQ(rank(Severity::kCritical, {1000, 0}, {1000, 0}), 100u);
}

TEST(Noise, NeedsTenVerdictsAndTheAgencysOwnGoFirst) {
  EXPECT_FALSE(is_noise({0, 9}, {0, 9}));
  EXPECT_TRUE(is_noise({1, 9}, {}));
  EXPECT_TRUE(is_noise({0, 2}, {0, 10}));
  EXPECT_FALSE(is_noise({5, 5}, {5, 1000}));
}

}  // namespace
}  // namespace vong::verdicts
