#include "correlator/coverage/board.h"

#include <gtest/gtest.h>

#include <map>

#include "base/timestamp.h"

namespace vong::coverage {
namespace {

constexpr int64_t kMinute = 60'000'000'000;
const int64_t kStart = to_ns(*parse_eve_time("2026-11-20T00:00:00Z"));

class BoardTest : public ::testing::Test {
 protected:
  BoardTest() {
    rules::Diagnostics d("a.yaml");
    registry_ = enrich::Registry::parse(
        "agencies:\n"
        "  - {id: A, sensors: [a1, a2], layers: {force: true, watch: true, check: 2026-06-01, "
        "share: true}}\n"
        "  - {id: B, sensors: [b1], layers: {force: true, check: 2024-01-01}}\n"
        "  - {id: S, sensors: [s1], special: true}\n",
        d);
    EXPECT_TRUE(d.empty()) << d.items().at(0).format();
    board_.emplace(registry_, "wanted", [this](std::string_view key, std::string_view json) {
      told_[std::string(key)] = json;
      ++told_count_;
    });
  }
  void beat(const std::string& sensor, int64_t minute, uint64_t packets = 0, uint64_t dropped = 0,
            const std::string& hash = "wanted", const std::string& start = "x") {
    Status s;
    s.sensor = sensor;
    s.time_ns = kStart + minute * kMinute;
    s.rules_hash = hash;
    s.packets = packets;
    s.dropped = dropped;
    s.start = start;
    EXPECT_TRUE(board_->on_status(s));
  }
  [[nodiscard]] bool says(const std::string& key, const std::string& part) const {
    const auto it = told_.find(key);
    return it != told_.end() && it->second.find(part) != std::string::npos;
  }
  enrich::Registry registry_;
  std::optional<Board> board_;
  std::map<std::string, std::string> told_;
  size_t told_count_ = 0;
};

TEST_F(BoardTest, ADayOfHeartbeatsAVerdictAndACheckMakeFourLayers) {
  for (int64_t m = 0; m <= 24 * 60; ++m) {
    beat("a1", m, static_cast<uint64_t>(m) * 100, static_cast<uint64_t>(m));
    beat("a2", m);
    if (m < 600) beat("b1", m, 0, 0, "other");
  }
  board_->on_verdict(0, kStart);
  board_->report();
  EXPECT_TRUE(says("A", R"("complete":true)")) << told_["A"];
  EXPECT_TRUE(says("A", R"("hours_covered":24,)")) << told_["A"];
  EXPECT_TRUE(says("B", R"("silent":["b1"])")) << told_["B"];
  EXPECT_TRUE(says("B", R"("hours_covered":9.9)")) << told_["B"];
  EXPECT_TRUE(says("B", R"("check":{"declared":true,"measured":false})")) << "too long ago";
  EXPECT_TRUE(says("S", R"("registered":1,"alive":0)")) << "never heard of is silent";
  EXPECT_TRUE(says("nation", R"("complete_declared":1,"complete":1,"share":0.333)"))
      << told_["nation"];
  EXPECT_EQ(board_->summary().national_percent(), 33);
  EXPECT_EQ(board_->summary().sensors_alive, 2u);
}

TEST_F(BoardTest, OtherRulesAreNamed) {
  beat("a1", 0), beat("a2", 0, 0, 0, "old"), beat("b1", 0);
  board_->report();
  EXPECT_TRUE(says("A", R"("in_force":1,"other":["a2"])")) << told_["A"];
  EXPECT_TRUE(says("A", R"("watch":{"declared":true,"measured":false})"));
}

TEST_F(BoardTest, ReportsComeOnTheHourAndCountWhatIsNew) {
  beat("b1", 0, 1000, 10);
  EXPECT_EQ(told_count_, 0u);
  beat("b1", 30, 1500, 20);
  beat("b1", 61, 1600, 20);
  EXPECT_EQ(told_count_, 4u) << "three agencies and the nation";
  EXPECT_TRUE(says("B", R"("packets":500,"dropped":10,)")) << told_["B"];
  EXPECT_TRUE(says("B", "2026-11-20T01:00:00"));
  beat("b1", 90, 50, 1, "wanted", "started anew");
  board_->report();
  EXPECT_TRUE(says("B", R"("packets":150,"dropped":1,)")) << told_["B"];
}

TEST_F(BoardTest, AnOlderOrRepeatedStatusChangesNothing) {
  beat("b1", 10, 100), beat("b1", 20, 200);
  beat("b1", 10, 100), beat("b1", 20, 200);
  board_->report();
  EXPECT_TRUE(says("B", R"("packets":100,)")) << told_["B"];
}

TEST_F(BoardTest, AStrangerIsRefusedAndANewSensorOfAKnownAgencyIsNot) {
  Status s;
  s.sensor = "x";
  s.time_ns = kStart;
  EXPECT_FALSE(board_->on_status(s));
  s.agency = "B";
  EXPECT_TRUE(board_->on_status(s));
  EXPECT_EQ(board_->summary().sensors_registered, 5u);
}

TEST_F(BoardTest, AfterADayOfSilenceNoHourIsCovered) {
  for (int64_t m = 0; m < 300; ++m) beat("a1", m);
  beat("b1", 3 * 24 * 60);
  board_->report();
  EXPECT_TRUE(says("A", R"("hours_covered":0,)")) << told_["A"];
}

TEST_F(BoardTest, AClockBefore1970IsNoTrouble) {
  for (const char* time : {"1969-12-31T23:58:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:02:00Z",
                           "1700-01-01T00:00:00Z"}) {
    Status s;
    s.sensor = "a1";
    s.time_ns = to_ns(*parse_eve_time(time));
    EXPECT_TRUE(board_->on_status(s));
    board_->report();
    EXPECT_EQ(board_->summary().sensors_alive, 1u) << time;
  }
  beat("a1", 0);
  board_->report();
  EXPECT_TRUE(says("A", R"("hours_covered":0.008,)")) << "a minute, of two sensors" << told_["A"];
}

TEST(StatusRecord, IsReadAndWhatIsWrongIsSaid) {
  const auto s = read_status(
      R"({"sensor":"a1","timestamp":"2026-11-20T08:00:00Z","interval_seconds":30,"rules":{"hash":"h"},)"
      R"("interfaces":[{"packets":5},{"packets":7}],"loss":{"dropped":{"a":1,"b":2},"not_inspected":{}},"spool":{"unsent_events":9}})");
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->packets, 12u);
  EXPECT_EQ(s->dropped, 3u);
  EXPECT_EQ(s->unsent_events, 9u);
  EXPECT_EQ(s->interval_ns, 30'000'000'000);
  for (const char* bad : {"", "[]", "{}", R"({"sensor":"a"})", R"({"sensor":7,"timestamp":"x"})",
                          R"({"sensor":"a","timestamp":"yesterday","interfaces":3,"loss":[]})"})
    EXPECT_FALSE(read_status(bad)) << bad;
  EXPECT_TRUE(read_status(
      R"({"sensor":"a","timestamp":"2026-11-20T08:00:00Z","interfaces":3,"loss":[],"rules":7,"spool":"x"})"));
}

}  // namespace
}  // namespace vong::coverage
