#include "correlator/incidents/incident_store.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vong::incidents {
namespace {

using events::IncidentStatus;
constexpr int64_t kSecond = 1'000'000'000;

class IncidentStoreTest : public ::testing::Test {
 protected:
  IncidentStoreTest() { make(0); }
  void make(int64_t update_interval_s) {
    RuleFacts f;
    f.rule = {"r", "rule", "event_count", "high", {}, {}, {}};
    f.severity = events::Severity::kHigh;
    f.close_after_ns = 100 * kSecond;
    f.key_fields = {"src_ip"};
    store_.emplace(std::vector<RuleFacts>{f}, update_interval_s * kSecond, "salt",
                   [this](const Open& o, IncidentStatus s) {
                     log_.push_back(std::string(events::name_of(s)) + " " + o.key_values.at(0) +
                                    " v" + std::to_string(o.version) + " m" +
                                    std::to_string(o.match_count));
                     last_ = o;
                   });
  }
  std::string hit(int64_t seconds, std::string key = "a", state::AgencyIndex agency = 0,
                  uint64_t events = 1, int level = 0) {
    std::vector<EventRef> evidence(events);
    for (EventRef& e : evidence) e.time_ns = seconds * kSecond, e.agency = agency;
    Hit h;
    h.agency = agency;
    h.key = key;
    h.key_values = {key};
    h.first_ns = h.last_ns = seconds * kSecond;
    h.event_count = events;
    h.evidence = evidence;
    h.system_level = level;
    store_->advance(seconds * kSecond);
    return std::string(store_->add(h));
  }
  std::optional<IncidentStore> store_;
  std::vector<std::string> log_;
  Open last_;
};

TEST_F(IncidentStoreTest, OneIncidentGrows) {
  const std::string first = hit(0);
  EXPECT_EQ(hit(50), first);
  EXPECT_EQ(log_, (std::vector<std::string>{"open a v1 m1", "updated a v2 m2"}));
}

TEST_F(IncidentStoreTest, UpdatesWithinTheIntervalAreToldTogetherWhenItIsOver) {
  make(30);
  hit(0);
  hit(10);
  hit(20);
  EXPECT_EQ(log_.size(), 1u);
  store_->advance(29 * kSecond);
  EXPECT_EQ(log_.size(), 1u);
  store_->advance(31 * kSecond);
  EXPECT_EQ(log_.back(), "updated a v3 m3");
  hit(40);
  store_->advance(120 * kSecond);  // 20 + 30 has long passed, 40 + 100 has not
  EXPECT_EQ(log_, (std::vector<std::string>{"open a v1 m1", "updated a v3 m3", "updated a v4 m4"}));
  store_->advance(1000 * kSecond);
  EXPECT_EQ(log_.back(), "closed a v5 m4");
}

TEST_F(IncidentStoreTest, WhatIsUntoldCanBeToldEarlyAndChangesNothing) {
  make(30);
  hit(0);
  hit(10);
  store_->tell_untold();
  EXPECT_EQ(log_.back(), "updated a v2 m2");
  hit(20);
  EXPECT_EQ(log_.size(), 2u);  // its turn is at 30, as if nobody had asked
  store_->advance(30 * kSecond);
  EXPECT_EQ(log_.back(), "updated a v3 m3");
  EXPECT_EQ(log_.size(), 3u);
  store_->tell_untold();
  EXPECT_EQ(log_.size(), 3u);
}

TEST_F(IncidentStoreTest, AMatchOfTheTimeBeforeIsToldToo) {
  hit(50);
  std::vector<EventRef> evidence(1);
  Hit h;
  h.agency = 0;
  h.key = "a";
  h.key_values = {"a"};
  h.first_ns = h.last_ns = 40 * kSecond;  // of a window that was judged at its end
  h.event_count = 1;
  h.evidence = evidence;
  store_->add(h);
  EXPECT_EQ(log_.back(), "updated a v2 m2");
}

TEST_F(IncidentStoreTest, QuietClosesAndTheNextIsAnother) {
  const std::string first = hit(0);
  EXPECT_EQ(hit(99), first);
  store_->advance(198 * kSecond);
  EXPECT_EQ(log_.size(), 2u);
  store_->advance(199 * kSecond);
  EXPECT_EQ(log_.back(), "closed a v3 m2");
  EXPECT_NE(hit(200), first);
  EXPECT_EQ(store_->open_count(), 1u);
}

TEST_F(IncidentStoreTest, KeysAndAgenciesAreApart) {
  EXPECT_NE(hit(0, "a", 0), hit(0, "b", 0));
  EXPECT_NE(hit(0, "a", 0), hit(0, "a", state::kNoAgency));
  EXPECT_EQ(store_->open_count(), 3u);
}

TEST_F(IncidentStoreTest, AProtectedSystemRaisesTheSeverityOnce) {
  hit(0, "a", 0, 1, 3);
  EXPECT_EQ(last_.severity, events::Severity::kHigh);
  hit(1, "a", 0, 1, 5);
  EXPECT_EQ(last_.severity, events::Severity::kCritical);
}

TEST_F(IncidentStoreTest, EvidenceIsCappedAndTheRestIsCounted) {
  hit(0, "a", 0, 100);
  hit(1, "a", 0, 100);
  EXPECT_EQ(last_.evidence.size(), 64u);
  EXPECT_EQ(last_.event_count, 200u);
  EXPECT_EQ(last_.evidence_dropped, 136u);
  EXPECT_EQ(last_.evidence.back().time_ns, kSecond);
}

TEST_F(IncidentStoreTest, FinishTellsWhatIsOpenInOrderOfTime) {
  hit(5, "b");
  hit(7, "a");
  log_.clear();
  store_->finish();
  EXPECT_EQ(log_, (std::vector<std::string>{"open b v1 m1", "open a v1 m1"}));
}

TEST(AttackTags, TechniquesAndTacticsAreToldApart) {
  RuleFacts f;
  read_attack_tags({"attack.t1110.003", "attack.T1", "attack.credential_access", "attack.s0001",
                    "cve.2021-44228", "attack.t1110.003"},
                   f);
  EXPECT_EQ(f.techniques, std::vector<std::string>{"T1110.003"});
  EXPECT_EQ(f.tactics, std::vector<std::string>{"credential-access"});
}

// A store whose incidents can come back within 1000 s of their closing.
class ReopenTest : public IncidentStoreTest {
 protected:
  void make(int64_t update_interval_ns, size_t open_max = kOpenMax) {
    RuleFacts f;
    f.rule = {"r", "rule", "event_count", "high", {}, {}, {}};
    f.severity = events::Severity::kHigh;
    f.close_after_ns = 100 * kSecond;
    f.reopen_within_ns = 1000 * kSecond;
    f.key_fields = {"src_ip"};
    log_.clear();
    store_.emplace(
        std::vector<RuleFacts>{f}, update_interval_ns, "salt",
        [this](const Open& o, IncidentStatus s) {
          log_.push_back(std::string(events::name_of(s)) + " v" + std::to_string(o.version));
          last_ = o;
        },
        open_max);
  }
};

TEST_F(ReopenTest, WhatComesBackInTimeIsTheSameIncident) {
  make(0);
  const std::string first = hit(0);
  store_->advance(500 * kSecond);
  EXPECT_EQ(store_->open_count(), 0u);
  EXPECT_EQ(hit(1099), first) << "closed at 100, 1000 s later it is too late";
  EXPECT_EQ(hit(1150), first);
  EXPECT_EQ(log_, (std::vector<std::string>{"open v1", "closed v2", "reopened v3", "updated v4"}));
  EXPECT_EQ(last_.reopened, 1u);
  store_->advance(1250 * kSecond);
  EXPECT_EQ(log_.back(), "closed v5");
  EXPECT_NE(hit(2250), first);
}

TEST_F(ReopenTest, AtTheCapWhatIsClosedMakesRoomBeforeWhatIsLive) {
  make(0, 3);
  const std::string closed = hit(0, "closed"), live = hit(50, "live"), later = hit(90, "later");
  EXPECT_EQ(hit(120, "live"), live) << "the first is closed by now and only kept";
  hit(130, "new");
  EXPECT_EQ(hit(140, "live"), live);
  EXPECT_EQ(hit(141, "later"), later);
  EXPECT_EQ(store_->closed_early_total(), 0u);
  hit(142, "more");  // nothing closed is left: the one that was to be closed first
  EXPECT_EQ(store_->closed_early_total(), 1u);
  EXPECT_EQ(hit(143, "live"), live) << "it has had news since it was opened";
  EXPECT_NE(hit(144, "closed"), closed);
}

TEST_F(ReopenTest, TheStepsOfTimeDoNotMatter) {
  make(0);
  hit(0), hit(1050), hit(1151), hit(3000);
  const auto seldom = log_;
  make(0);
  for (const int64_t t : {0, 1050, 1151, 3000}) {
    for (int64_t s = std::max<int64_t>(t - 1200, 0); s < t; s += 7) store_->advance(s * kSecond);
    hit(t);
  }
  EXPECT_EQ(log_, seldom);
}

TEST_F(ReopenTest, WhoIsToldOfFinalStatesHearsOfEachIncidentOnce) {
  make(IncidentStore::kFinalOnly);
  hit(0), hit(1050), hit(3000), hit(1, "b");
  store_->finish();
  std::vector<std::string> told = log_;
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(ReopenTest, AVerdictIsToldAlsoOfAClosedIncident) {
  make(0);
  const std::string id = hit(0);
  store_->advance(500 * kSecond);
  EXPECT_FALSE(store_->judge("00000000000000000000000000000000", true, {}, 600 * kSecond));
  ASSERT_TRUE(store_->judge(id, false, {{0, 1}, {0, 1}}, 600 * kSecond));
  EXPECT_EQ(log_.back(), "closed v3");
  EXPECT_EQ(last_.verdict, 0);
  EXPECT_EQ(last_.timeline.back().step, Step::kVerdict);
}

TEST_F(ReopenTest, ATimelineIsCapped) {
  make(0);
  std::string id = hit(0);
  for (int i = 1; i < 200; ++i) (void)store_->judge(id, i % 2 == 0, {}, i * kSecond);
  hit(50);
  EXPECT_EQ(last_.timeline.size(), 64u);
  EXPECT_EQ(last_.timeline.front().step, Step::kOpened);
}

}  // namespace
}  // namespace vong::incidents
