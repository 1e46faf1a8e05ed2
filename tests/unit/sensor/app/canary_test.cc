// The life signal: only what carries the key's signature counts, and what does not come back is missed.
#include "sensor/app/canary.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sensor/app/outputs.h"
#include "sensor/app/plan.h"
#include "tests/unit/sensor/app/traffic.h"

namespace vong::sensor {
namespace {

Timestamp now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
CanaryConfig config(const std::string& key = "0123456789abcdef") {
  CanaryConfig c;
  c.enabled = true;
  c.sensor = "s1";
  c.key = key;
  return c;
}

struct Bench {
  Bench() {
    Settings settings;
    detect::LoadReport report;
    auto rules = detect::RuleSet::from_text("test", "alert udp any any -> any 9 (msg:\"mine\"; sid:1;)\n" + canary_rule(), {}, settings, report);
    EXPECT_EQ(report.counts.failed, 0u);
    Options options;
    options.checksums = "all";
    fill_plan(plan, options, std::move(settings), *rules);
    shared = std::make_unique<detect::SharedState>(plan.settings);
    worker = std::make_unique<Worker>(plan, *shared, lines);
    worker->set_canary(&canary);
  }
  void put(const std::string& frame) { worker->inject(Traffic::raw(frame, 0, ++n * 1000)); }

  Plan plan;
  std::unique_ptr<detect::SharedState> shared;
  LineBatch lines;
  Canary canary{config()};
  std::unique_ptr<Worker> worker;
  int64_t n = 0;
};

TEST(Canary, ComesThroughTheWholeSensorAndIsNoAlert) {
  Bench run;
  const auto frame = run.canary.make(now());
  ASSERT_TRUE(frame.has_value());
  run.put(*frame);
  const auto seen = run.canary.take_seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].number, 1u);
  EXPECT_GE(seen[0].seen, seen[0].sent);
  EXPECT_LT(seen[0].seen - seen[0].sent, std::chrono::seconds(5));
  EXPECT_NE(Canary::fields(seen[0]).find("\"phase\":\"odd\""), std::string::npos);
  EXPECT_EQ(run.lines.text().find("\"signature_id\":4200000000"), std::string::npos);
  EXPECT_NE(run.lines.text().find("\"signature_id\":1,"), std::string::npos);   // other rules' alerts stay
  EXPECT_TRUE(run.canary.take_lost(now() + std::chrono::hours(1)).empty());
  const auto totals = run.worker->packet_totals({}, false);
  EXPECT_EQ(totals[ledger::Hop::kRing][ledger::Reason::kCanary], 1u);
  EXPECT_EQ(totals[ledger::Hop::kRing].balance(), 0);
  EXPECT_EQ(totals[ledger::Hop::kDecode].balance(), 0);
}

TEST(Canary, ForgedChangedAndRepeatedOnesDoNotCount) {
  Bench run;
  const std::string good = *run.canary.make(now());
  Canary stranger(config("another key than ours"));
  run.put(*stranger.make(now()));
  std::string changed = good;
  changed[changed.size() - 70] ^= 1;   // in the time
  run.put(changed);
  EXPECT_TRUE(run.canary.take_seen().empty());
  EXPECT_EQ(run.canary.counters().forged, 2u);
  run.put(good);
  run.put(good);
  EXPECT_EQ(run.canary.take_seen().size(), 1u);
  EXPECT_EQ(run.canary.counters().forged, 3u);
}

TEST(Canary, ASignalOfAnEarlierRunDoesNotCount) {
  Bench run;
  Canary earlier(config());
  const std::string old = *earlier.make(now() - std::chrono::hours(1));
  (void)run.canary.make(now());   // the same number
  run.put(old);
  EXPECT_TRUE(run.canary.take_seen().empty());
  EXPECT_EQ(run.canary.counters().forged, 1u);
}

TEST(Canary, WhatDoesNotComeBackIsLost) {
  Canary canary(config());
  const Timestamp t = now();
  (void)canary.make(t);
  EXPECT_FALSE(canary.make(t + std::chrono::seconds(59)).has_value());
  EXPECT_TRUE(canary.take_lost(t + std::chrono::seconds(29)).empty());
  EXPECT_EQ(canary.take_lost(t + std::chrono::seconds(30)), std::vector<uint64_t>{1});
  EXPECT_TRUE(canary.take_lost(t + std::chrono::seconds(31)).empty());
  EXPECT_TRUE(canary.make(t + std::chrono::seconds(60)).has_value());
}

TEST(Canary, TheKeyIsASecretFile) {
  const auto path = std::filesystem::temp_directory_path() / ("vong_canary_" + std::to_string(::getpid()));
  std::ofstream(path) << "0123456789abcdef0123\n";
  Settings settings;
  settings.set("canary.enabled", "yes");
  settings.set("sensor-name", "s1");
  EXPECT_FALSE(CanaryConfig::from(settings).has_value());
  settings.set("canary.key-file", path.string());
  ::chmod(path.c_str(), 0644);
  EXPECT_FALSE(CanaryConfig::from(settings).has_value());
  ::chmod(path.c_str(), 0600);
  EXPECT_TRUE(CanaryConfig::from(settings).has_value());
  std::ofstream(path, std::ios::trunc) << "short\n";
  EXPECT_FALSE(CanaryConfig::from(settings).has_value());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace vong::sensor
