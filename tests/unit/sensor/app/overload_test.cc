// Steps of overload: taken in order under pressure, undone as it falls, and what each of them costs.
#include "sensor/app/overload.h"

#include <gtest/gtest.h>

#include "sensor/app/outputs.h"
#include "sensor/app/plan.h"
#include "tests/unit/sensor/app/traffic.h"

namespace vong::sensor {
namespace {

Timestamp at_ms(int64_t ms) { return timestamp_from_ns((1'000'000 + ms) * 1'000'000); }

TEST(OverloadControl, TakesStepsInOrderAndUndoesThemInTurn) {
  OverloadControl c{OverloadConfig()};
  int64_t ms = 0;
  const auto feel = [&](double pressure, int64_t for_ms) {
    for (int64_t end = ms + for_ms; ms < end; ms += 100) (void)c.note(pressure, at_ms(ms));
  };
  feel(0.9, 400);
  EXPECT_EQ(c.names(), "none");
  feel(0.9, 300);
  EXPECT_EQ(c.names(), "payload-depth");
  feel(0.9, 500);
  EXPECT_EQ(c.names(), "payload-depth,records");
  feel(0.9, 5000);
  EXPECT_EQ(c.names(), "payload-depth,records,flows");
  feel(0.5, 60'000);   // between low and high nothing changes
  EXPECT_EQ(c.steps_taken(), 3u);
  feel(0.1, 10'200);
  EXPECT_EQ(c.names(), "payload-depth,records");
  feel(0.1, 20'000);
  EXPECT_EQ(c.names(), "none");
}

TEST(OverloadControl, AShortPeakTakesNoStep) {
  OverloadControl c{OverloadConfig()};
  for (int64_t ms = 0; ms < 60'000; ms += 100) EXPECT_FALSE(c.note(ms % 500 == 0 ? 0.1 : 1.0, at_ms(ms)).changed) << ms;
}

TEST(OverloadControl, TheOrderIsTheConfigurations) {
  Settings settings;
  settings.set("overload.order.0", "flows");
  settings.set("overload.order.1", "payload-depth");
  settings.set("overload.high", "0.6");
  auto config = OverloadConfig::from(settings);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->order, (std::vector{OverloadStep::kFlows, OverloadStep::kPayloadDepth}));
  EXPECT_DOUBLE_EQ(config->high, 0.6);
}

TEST(OverloadControl, ABadConfigurationIsSaid) {
  const auto error_of = [](const std::string& key, const std::string& value) {
    Settings settings;
    settings.set(key, value);
    const auto config = OverloadConfig::from(settings);
    return config ? std::string() : config.error().message;
  };
  EXPECT_EQ(error_of("overload.order.0", "rules"), "overload.order: \"rules\" is none of payload-depth, records, flows");
  EXPECT_EQ(error_of("overload.high", "full"), "overload.high: not a part between 0 and 100%");
  EXPECT_EQ(error_of("overload.high", "20%"), "overload.low has to be below overload.high");
}

TEST(HeavyFlows, FindsTheFlowWithMostBytesAmongMany) {
  HeavyFlows heavy;
  for (int64_t ms = 0; ms <= 2000; ++ms) {
    heavy.note(7, 1500, at_ms(ms));
    heavy.note(static_cast<uint64_t>(1000 + ms), 300, at_ms(ms));
  }
  EXPECT_EQ(heavy.above(0.5), 7u);
  HeavyFlows fair;
  for (int64_t ms = 0; ms <= 2000; ++ms) fair.note(static_cast<uint64_t>(ms % 100 + 1), 1500, at_ms(ms));
  EXPECT_EQ(fair.above(0.5), 0u);
}

TEST(LoadShedder, AnElephantGoesFirstAndTheOthersAreFollowed) {
  LoadShedder s{OverloadConfig()};
  uint64_t elephant = 0;
  for (int64_t ms = 0; ms <= 1200; ++ms) {
    if (ms % 100 == 0) {
      const auto change = s.note(ms < 1000 ? 0.5 : 0.8, at_ms(ms));
      if (change.elephant != 0) elephant = change.elephant;
    }
    (void)s.judge(7, 1000, false, 1500, at_ms(ms));
    (void)s.judge(8, 1000, false, 100, at_ms(ms));
  }
  EXPECT_EQ(elephant, 7u);
  EXPECT_EQ(s.judge(7, 1000, false, 1500, at_ms(1201)), LoadShedder::Verdict::kNotFollowed);
  EXPECT_EQ(s.judge(7, 1000, true, 1500, at_ms(1201)), LoadShedder::Verdict::kFull);   // it has an alert
  EXPECT_EQ(s.judge(8, 1000, false, 100, at_ms(1201)), LoadShedder::Verdict::kFull);
  for (int64_t ms = 1300; ms < 40'000; ms += 100) (void)s.note(0.1, at_ms(ms));
  EXPECT_FALSE(s.busy());
  EXPECT_EQ(s.judge(7, 1000, false, 1500, at_ms(40'000)), LoadShedder::Verdict::kFull);
}

TEST(LoadShedder, WhatWasHeavyBeforeACalmIsNotHeavyAfterIt) {
  LoadShedder s{OverloadConfig()};
  for (int64_t ms = 0; ms <= 1200; ++ms) {
    if (ms % 100 == 0) (void)s.note(0.5, at_ms(ms));
    (void)s.judge(7, 1000, false, 1500, at_ms(ms));
  }
  (void)s.note(0.1, at_ms(2000));
  ASSERT_FALSE(s.busy());
  EXPECT_EQ(s.note(0.8, at_ms(3'600'000)).elephant, 0u);
}

TEST(LoadShedder, EndedFlowsMakeRoomForOthers) {
  LoadShedder s{OverloadConfig()};
  for (int64_t ms = 0; s.control().steps_taken() < 3; ms += 100) (void)s.note(1.0, at_ms(ms));
  constexpr uint64_t kLarge = 2 << 20, kMoreThanFit = 100'000;
  for (uint64_t flow = 1; flow <= kMoreThanFit; ++flow) {
    ASSERT_EQ(s.judge(flow, kLarge, false, 100, at_ms(10'000)), LoadShedder::Verdict::kNotFollowed) << flow;
    s.forget(flow);
  }
  EXPECT_EQ(s.counters().flows_shed, kMoreThanFit);
}

// --- the whole worker

struct Bench {
  explicit Bench(const std::string& rules_text) {
    Settings settings;
    settings.set("overload.payload-depth", "2000");
    settings.set("overload.flow-bytes", "2000");
    settings.set("overload.step-up", "100");
    detect::LoadReport report;
    auto rules = detect::RuleSet::from_text("test", rules_text, {}, settings, report);
    EXPECT_EQ(report.counts.failed, 0u);
    Options options;
    options.checksums = "none";
    fill_plan(plan, options, std::move(settings), *rules);
    shared = std::make_unique<detect::SharedState>(plan.settings);
    worker = std::make_unique<Worker>(plan, *shared, lines);
  }
  void press(size_t steps) {
    for (int64_t ms = 0; worker->shedder().control().steps_taken() < steps; ms += 100) (void)worker->note_pressure(1.0, at_ms(ms));
  }
  void send(const std::vector<Traffic::Frame>& frames) {
    for (const auto& f : frames) {
      ++n;
      worker->process(Traffic::raw(f, n, static_cast<int64_t>(n) * 1000));
    }
  }
  size_t count(std::string_view text) const {
    size_t found = 0;
    for (size_t at = lines.text().find(text); at != std::string::npos; at = lines.text().find(text, at + 1)) ++found;
    return found;
  }
  uint64_t lost(ledger::Hop hop) const {
    return worker->packet_totals({.received = n}, false)[hop][ledger::Reason::kOverload];
  }
  Plan plan;
  std::unique_ptr<detect::SharedState> shared;
  LineBatch lines;
  std::unique_ptr<Worker> worker;
  uint64_t n = 0;
};

const std::string kRules =
    "alert tcp any any -> any any (msg:\"high\"; content:\"evil\"; priority:1; sid:1;)\n"
    "alert tcp any any -> any any (msg:\"low\"; content:\"odd\"; priority:3; sid:2;)\n";

std::vector<std::string> long_talk(const std::string& last) {
  std::vector<std::string> talk(5, std::string(1000, 'x'));
  talk.push_back(last);
  return talk;
}

TEST(Overload, BehindThePayloadDepthOnlyHighSeverityIsTried) {
  Bench quiet(kRules), busy(kRules);
  busy.press(1);
  for (Bench* run : {&quiet, &busy}) {
    run->send(Traffic::connection(40000, long_talk("evil")));
    run->send(Traffic::connection(40001, long_talk("odd")));
    run->send(Traffic::connection(40002, {"odd"}));   // not behind the depth
    run->worker->finish();
  }
  EXPECT_EQ(quiet.count("\"signature_id\":1,"), 1u);
  EXPECT_EQ(busy.count("\"signature_id\":1,"), 1u);
  EXPECT_EQ(quiet.count("\"signature_id\":2,"), 2u);
  EXPECT_EQ(busy.count("\"signature_id\":2,"), 1u);
  EXPECT_EQ(quiet.lost(ledger::Hop::kMatch), 0u);
  EXPECT_GT(busy.lost(ledger::Hop::kMatch), 0u);
}

TEST(Overload, RecordsGoButNotThoseOfFlowsWithAnAlert) {
  const std::string request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", bad = "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  Bench quiet(kRules), busy(kRules);
  busy.press(2);
  for (Bench* run : {&quiet, &busy}) {
    run->send(Traffic::connection(40000, {request}, answer));
    run->send(Traffic::connection(40001, {bad}, answer));
    run->worker->finish();
  }
  EXPECT_EQ(quiet.count("\"event_type\":\"http\""), 2u);
  EXPECT_EQ(busy.count("\"event_type\":\"http\""), 1u);
  EXPECT_EQ(busy.worker->emitter().records_shed(), 1u);
  EXPECT_EQ(busy.count("\"event_type\":\"flow\""), quiet.count("\"event_type\":\"flow\""));
}

TEST(Overload, LargeFlowsAreNotFollowedAndHighSeverityStillSeesTheirPackets) {
  Bench run(kRules);
  run.press(3);
  run.send(Traffic::connection(40000, long_talk("evil")));
  run.send(Traffic::connection(40001, long_talk("odd")));
  run.worker->finish();
  EXPECT_EQ(run.count("\"signature_id\":1,"), 1u);
  EXPECT_EQ(run.count("\"signature_id\":2,"), 0u);
  EXPECT_GT(run.lost(ledger::Hop::kFlow), 4u);
  EXPECT_EQ(run.worker->shedder().counters().flows_shed, 2u);
}

TEST(Overload, WhenTheLoadFallsEverythingIsTriedAgain) {
  Bench run(kRules);
  run.press(3);
  for (int64_t ms = 0; ms < 60'000; ms += 100) (void)run.worker->note_pressure(0.0, at_ms(1'000'000 + ms));
  EXPECT_EQ(run.worker->shedder().control().steps_taken(), 0u);
  run.send(Traffic::connection(40000, long_talk("odd")));
  run.worker->finish();
  EXPECT_EQ(run.count("\"signature_id\":2,"), 1u);
  EXPECT_EQ(run.lost(ledger::Hop::kFlow), 0u);
}

}  // namespace
}  // namespace vong::sensor
