#include <gtest/gtest.h>

#include "correlator/operators/operator.h"

namespace vong::operators {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A small language: at(seconds, key, step, value) feeds a fact, seen() tells when matches came.
class OperatorTest : public ::testing::Test {
 protected:
  Spec spec(std::string type, int64_t timespan_s,
            std::vector<std::pair<Compare, double>> conditions, size_t steps = 1) {
    Spec s;
    s.type = std::move(type);
    s.timespan_ns = timespan_s * kSecond;
    s.conditions = std::move(conditions);
    s.steps = steps;
    return s;
  }
  void make(const Spec& s) {
    auto op = make_operator(s);
    ASSERT_TRUE(op) << op.error().message;
    op_ = std::move(*op);
  }
  void at(double seconds, std::string_view key = "k", uint64_t steps = 1,
          std::string_view value = "", double number = 0) {
    Fact f;
    f.ref.time_ns = static_cast<int64_t>(seconds * kSecond);
    f.ref.flow_id = ++flow_;
    f.steps = steps;
    f.key = key;
    f.value = value;
    f.number = number;
    op_->on_fact(f, matches_);
  }
  std::vector<double> seen() const {
    std::vector<double> out;
    for (const Match& m : matches_) out.push_back(static_cast<double>(m.last_ns) / kSecond);
    return out;
  }
  using Times = std::vector<double>;
  std::unique_ptr<Operator> op_;
  Matches matches_;
  uint64_t flow_ = 0;
};

TEST_F(OperatorTest, EventCountNeedsAllWithinTheTimespanOpenAtItsEnd) {
  Spec s = spec("event_count", 60, {{Compare::kGte, 3}});
  s.after_match = AfterMatch::kRestart;
  make(s);
  for (const double t : {0.0, 30.0, 60.0}) at(t);  // 60 - 0 is not < 60
  EXPECT_EQ(seen(), Times{});
  at(89.9);
  EXPECT_EQ(seen(), Times{89.9});
}

TEST_F(OperatorTest, EventCountRestartsFromNothing) {
  Spec s = spec("event_count", 60, {{Compare::kGt, 1}});
  s.after_match = AfterMatch::kRestart;
  make(s);
  for (const double t : {1.0, 2.0, 3.0, 4.0, 5.0}) at(t);
  EXPECT_EQ(seen(), (Times{2, 4}));
  EXPECT_EQ(matches_[0].evidence.size(), 2u);
  EXPECT_EQ(matches_[0].event_count, 2u);
}

TEST_F(OperatorTest, EventCountGrowsByTheNewEventsOnly) {
  make(spec("event_count", 60, {{Compare::kGte, 3}}));
  for (const double t : {1.0, 2.0, 3.0, 4.0, 5.0}) at(t);
  EXPECT_EQ(seen(), (Times{3, 4, 5}));
  EXPECT_EQ(matches_[0].event_count, 3u);
  EXPECT_EQ(matches_[1].event_count, 1u);
  EXPECT_EQ(matches_[1].evidence.size(), 1u);
}

TEST_F(OperatorTest, EventCountKeysAreApart) {
  make(spec("event_count", 60, {{Compare::kGte, 2}}));
  at(1, "a");
  at(2, "b");
  EXPECT_TRUE(matches_.empty());
  at(3, "a");
  ASSERT_EQ(matches_.size(), 1u);
  EXPECT_EQ(matches_[0].key, "a");
}

TEST_F(OperatorTest, SilenceHidesMatchesWhileTheirEventsCount) {
  Spec s = spec("event_count", 60, {{Compare::kGte, 2}});
  s.after_match = AfterMatch::kSilent;
  s.silent_for_ns = 100 * kSecond;
  make(s);
  for (const double t : {1.0, 2.0, 50.0, 101.9, 102.0, 103.0}) at(t);
  EXPECT_EQ(seen(), (Times{2, 102}));
  EXPECT_EQ(matches_[1].event_count, 2u);  // as many as the condition asks for
}

TEST_F(OperatorTest, TheQuietestKeyGoesAtTheCap) {
  Spec s = spec("event_count", 60, {{Compare::kGte, 2}});
  s.keys_max = 2;
  make(s);
  at(1, "a");
  at(2, "b");
  at(3, "c");  // a goes
  at(4, "a");  // b goes
  EXPECT_TRUE(matches_.empty());
  EXPECT_EQ(op_->evictions(), 2u);
  EXPECT_EQ(op_->keys(), 2u);
}

TEST_F(OperatorTest, ExpiredKeysLeaveMemory) {
  make(spec("event_count", 10, {{Compare::kGte, 2}}));
  for (int i = 0; i < 1000; ++i) at(i, std::to_string(i));
  EXPECT_LE(op_->keys(), 12u);
}

TEST_F(OperatorTest, ValueCountCountsDifferentValuesSeenLately) {
  make(spec("value_count", 60, {{Compare::kGte, 3}}));
  at(0, "k", 1, "x");
  at(10, "k", 1, "y");
  at(20, "k", 1, "y");
  at(65, "k", 1, "z");  // x is too old
  EXPECT_EQ(seen(), Times{});
  at(66, "k", 1, "x");
  EXPECT_EQ(seen(), Times{66});
  ASSERT_EQ(matches_[0].evidence.size(), 3u);
  EXPECT_EQ(matches_[0].first_ns, 20 * kSecond);  // the latest y
}

TEST_F(OperatorTest, TemporalWantsAllRulesInAnyOrder) {
  make(spec("temporal", 60, {}, 3));
  at(0, "k", 0b100);
  at(10, "k", 0b001);
  at(59, "k", 0b010);
  EXPECT_EQ(seen(), Times{59});
  at(61, "k", 0b010);  // the third rule's event is too old now
  EXPECT_EQ(matches_.size(), 1u);
}

TEST_F(OperatorTest, TemporalConditionSeesWhichRulesMatched) {
  Spec s = spec("temporal", 60, {}, 3);
  s.wanted_steps = [](uint64_t steps) { return (steps & 1) && (steps & 2) && !(steps & 4); };
  make(s);
  at(0, "a", 0b001);
  at(1, "a", 0b010);
  at(0, "b", 0b100);
  at(0, "b", 0b001);
  at(1, "b", 0b010);
  ASSERT_EQ(matches_.size(), 1u);
  EXPECT_EQ(matches_[0].key, "a");
}

TEST_F(OperatorTest, OrderedWantsTheOrder) {
  Spec s = spec("temporal_ordered", 60, {}, 3);
  s.after_match = AfterMatch::kRestart;
  make(s);
  at(1, "k", 0b010);
  at(2, "k", 0b001);
  at(3, "k", 0b100);
  EXPECT_TRUE(matches_.empty());
  at(4, "k", 0b010);
  at(5, "k", 0b100);
  EXPECT_EQ(seen(), Times{5});
  EXPECT_EQ(matches_[0].first_ns, 2 * kSecond);
}

TEST_F(OperatorTest, SilenceHidesFurtherSequences) {
  for (const char* type : {"temporal_ordered", "temporal"}) {
    Spec s = spec(type, 60, {}, 2);
    s.after_match = AfterMatch::kSilent;
    s.silent_for_ns = 100 * kSecond;
    make(s);
    matches_.clear();
    for (const double t : {1.0, 3.0, 200.0}) {
      at(t, "k", 0b01);
      at(t + 1, "k", 0b10);
    }
    EXPECT_EQ(seen(), (Times{2, 201})) << type;
  }
}

TEST_F(OperatorTest, ASequenceThatStartsAnewNeedsItsFirstStepAgain) {
  Spec s = spec("temporal_ordered", 60, {}, 2);
  s.after_match = AfterMatch::kRestart;
  make(s);
  at(1, "k", 0b01);
  for (const double t : {2.0, 3.0, 4.0}) at(t, "k", 0b10);
  EXPECT_EQ(seen(), Times{2});
  at(5, "k", 0b01);
  at(6, "k", 0b10);
  EXPECT_EQ(seen(), (Times{2, 6}));
}

TEST_F(OperatorTest, OrderedTakesTheChainThatCanBeCompleted) {
  make(spec("temporal_ordered", 60, {}, 3));
  at(0, "k", 0b001);
  at(10, "k", 0b010);
  at(50, "k", 0b001);
  at(55, "k", 0b010);
  at(100, "k", 0b100);  // 0 is too old, 50 is not
  ASSERT_EQ(seen(), Times{100});
  EXPECT_EQ(matches_[0].first_ns, 50 * kSecond);
}

TEST_F(OperatorTest, OneEventIsNotTwoStepsOfOneChain) {
  make(spec("temporal_ordered", 60, {}, 2));
  at(1, "k", 0b11);
  EXPECT_TRUE(matches_.empty());
  at(2, "k", 0b11);
  EXPECT_EQ(seen(), Times{2});
}

TEST_F(OperatorTest, SumAverageAndPercentile) {
  make(spec("value_sum", 60, {{Compare::kGt, 100}}));
  at(0, "k", 1, "", 60);
  at(1, "k", 1, "", 40);
  at(61, "k", 1, "", 70);  // both before are out
  EXPECT_TRUE(matches_.empty());
  at(62, "k", 1, "", 31);
  EXPECT_EQ(seen(), Times{62});
  matches_.clear();
  make(spec("value_avg", 60, {{Compare::kLt, 10}}));
  at(0, "k", 1, "", 15);
  at(1, "k", 1, "", 3);
  EXPECT_EQ(seen(), Times{1});
  matches_.clear();
  Spec p = spec("value_percentile", 60, {{Compare::kGte, 9}});
  p.percentile = 90;
  make(p);
  for (int i = 1; i <= 9; ++i) at(i, "k", 1, "", i == 9 ? 100 : 1);
  EXPECT_EQ(seen(), Times{9});
}

TEST_F(OperatorTest, WindowConditionIsJudgedWhenTheWindowIsOver) {
  make(spec("event_count", 60, {{Compare::kLt, 3}}));
  at(0, "few");
  at(1, "many");
  at(2, "many");
  at(3, "many");
  EXPECT_TRUE(matches_.empty());
  op_->advance(59 * kSecond, matches_);
  EXPECT_TRUE(matches_.empty());
  op_->advance(61 * kSecond, matches_);
  ASSERT_EQ(matches_.size(), 1u);
  EXPECT_EQ(matches_[0].key, "few");
}

TEST_F(OperatorTest, AbsenceFiresOnlyWhenEventTimeHasPassed) {
  make(spec("absence", 60, {}, 2));
  at(0, "lost", 1);
  at(0, "found", 1);
  at(30, "found", 2);
  op_->advance(59 * kSecond, matches_);
  EXPECT_TRUE(matches_.empty());
  op_->advance(60 * kSecond, matches_);
  ASSERT_EQ(matches_.size(), 1u);
  EXPECT_EQ(matches_[0].key, "lost");
  op_->finish(matches_);
  EXPECT_EQ(matches_.size(), 1u);
}

TEST_F(OperatorTest, FirstSeenSaysNothingWhileItLearns) {
  Spec s = spec("first_seen", 100, {});
  s.learn_ns = 10 * kSecond;
  make(s);
  at(0, "a");
  at(9, "b");
  at(10, "c");
  at(11, "c");
  at(50, "a");
  at(149, "a");  // known for 99 seconds
  at(249, "a");  // 100 seconds without it
  EXPECT_EQ(seen(), (Times{10, 249}));
}

TEST_F(OperatorTest, FirstSeenLearnsForItsTimespanUnlessTold) {
  make(spec("first_seen", 100, {}));
  at(0, "a");
  at(99, "b");
  at(100, "c");
  EXPECT_EQ(seen(), Times{100});
}

TEST_F(OperatorTest, FirstSeenTellsTheValuesOfAKeyApart) {
  Spec s = spec("first_seen", 100, {});
  s.learn_ns = 0;
  make(s);
  at(0, "a", 1, "x");
  at(1, "a", 1, "y");
  at(2, "b", 1, "x");
  at(3, "a", 1, "x");
  EXPECT_EQ(seen(), (Times{0, 1, 2}));
}

TEST_F(OperatorTest, RateComparesWithTheKeysOwnMean) {
  Spec s = spec("rate", 10, {{Compare::kGte, 3}});
  s.learn_ns = 40 * kSecond;
  make(s);
  for (int t = 0; t < 40; t += 5) at(t, "busy");       // two a timespan
  for (int t = 40; t < 45; ++t) at(t, "busy");         // five: 2.5 times
  EXPECT_TRUE(matches_.empty());
  at(45, "busy");
  ASSERT_EQ(seen(), Times{45});
  EXPECT_EQ(matches_[0].value, 3);
  EXPECT_EQ(matches_[0].event_count, 6u);
  for (int t = 40; t < 50; ++t) at(t, "new");  // nobody knows what is usual
  EXPECT_EQ(matches_.size(), 1u);
}

TEST_F(OperatorTest, RateCountsTimespansWithoutEvents) {
  Spec s = spec("rate", 10, {{Compare::kGte, 4}});
  s.learn_ns = 50 * kSecond;
  make(s);
  for (int t = 0; t < 10; ++t) at(t);                // ten, then nothing for three timespans
  for (const double t : {41.0, 42.0}) at(t);         // two: a mean of 2.4 over five
  for (int i = 0; i < 9; ++i) at(50 + i * 0.1);      // 9 / 2.4
  EXPECT_TRUE(matches_.empty());
  at(51);
  EXPECT_EQ(seen(), Times{51});
}

TEST(MakeOperator, RefusesWhatIsBeyondTheCaps) {
  Spec s;
  s.type = "event_count";
  s.timespan_ns = 1;
  s.conditions = {{Compare::kGte, 1e9}};
  EXPECT_FALSE(make_operator(s));
  s.type = "nonsense";
  EXPECT_FALSE(make_operator(s));
  s.type = "temporal_ordered";
  s.steps = 17;
  EXPECT_FALSE(make_operator(s));
}

}  // namespace
}  // namespace vong::operators
