// The incidents are a function of the events, not of the steps in which event time moved: what a
// run through Kafka relies on when it has to say the same as a run from files.
#include "correlator/app/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/correlator/app/engine_fixture.h"

namespace vong::correlator {
namespace {

// Every kind of correlation, those that wait for a deadline among them, and one that builds on
// them.
constexpr const char* kRules = R"(
title: x
name: x
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 1}, condition: s}
---
title: y
name: y
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 2}, condition: s}
level: medium
---
title: three within a minute
name: three
correlation: {type: event_count, rules: [x], group-by: [src_ip], timespan: 1m, condition: {gte: 3}}
level: high
vong: {close_after: 5m, reopen_within: 7m}
---
title: few within two minutes
name: few
correlation: {type: event_count, rules: [x], group-by: [src_ip], timespan: 2m, condition: {lt: 3}}
level: medium
vong: {close_after: 3m, reopen_within: 0}
---
title: x without y
name: without
correlation: {type: absence, rules: [x, y], group-by: [src_ip], timespan: 90s}
level: high
vong: {close_after: 2m, reopen_within: 0}
---
title: x then y
correlation: {type: temporal_ordered, rules: [x, y], group-by: [src_ip], timespan: 1m}
level: high
---
title: few and absent
correlation: {type: temporal, rules: [few, without], group-by: [src_ip], timespan: 10m}
level: critical
---
title: at many
correlation: {type: value_count, rules: [x, y], group-by: [src_ip], timespan: 10m, condition: {field: agency, gte: 3}}
level: high
vong: {scope: national, close_after: 4m, reopen_within: 0}
)";

constexpr const char* kAgencies = R"(
agencies:
  - {id: G01, name: one}
  - {id: G02, name: two}
  - {id: G03, name: three}
)";

struct Event {
  int64_t time_ns;
  std::string agency, json;
};

std::vector<Event> random_events(std::mt19937& random, size_t count) {
  std::vector<Event> events;
  int64_t t = kStart;
  for (size_t i = 0; i < count; ++i) {
    t += static_cast<int64_t>(random() % 40) * kSecond;  // several at one time among them
    const std::string agency = "G0" + std::to_string(1 + random() % 3);
    const int64_t seconds = t / kSecond - 1'795'140'000;
    char time[64];
    std::snprintf(time, sizeof time, "2026-11-20T%02d:%02d:%02d.000000+0000",
                  static_cast<int>(2 + seconds / 3600), static_cast<int>(seconds / 60 % 60),
                  static_cast<int>(seconds % 60));
    events.push_back({t, agency,
                      R"({"timestamp":")" + std::string(time) + R"(","flow_id":)" +
                          std::to_string(i + 1) + R"(,"event_type":"alert","src_ip":"192.0.2.)" +
                          std::to_string(1 + random() % 4) + R"(","dest_ip":"10.0.0.1",)" +
                          R"("alert":{"signature_id":)" + std::to_string(1 + random() % 2) +
                          R"(},"host":"s-)" + agency + R"("})"});
  }
  return events;
}

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rules_ = rules_of(kRules);
    registry_ = registry_of(kAgencies);
  }

  // `between`: how far event time moves by itself before the event at `ns` comes.
  Told run(const std::vector<Event>& events, int64_t update_interval_ns,
           const std::function<std::vector<int64_t>(int64_t from_ns, int64_t to_ns)>& between) {
    Told told;
    routing::Router router(registry_, "a key for the pseudonyms");
    EngineSettings settings;
    settings.update_interval_ns = update_interval_ns;
    settings.campaign.agencies = 2;
    settings.incidents_max = incidents_max_;
    EngineCounters counters;
    Engine engine(registry_, router, settings, counters,
                  [&](const events::Incident& i) { tell(told, i); });
    load(engine, rules_);
    int64_t before = kStart - 1;
    uint64_t position = 0;
    for (const Event& e : events) {
      for (const int64_t step : between(before, e.time_ns)) engine.advance(step);
      const auto result = read_json(engine, e.json, {e.agency, "s-" + e.agency, ++position});
      EXPECT_EQ(result, ReadResult::kFact) << engine.reason() << e.json;
      EXPECT_EQ(engine.time_ns(), e.time_ns) << e.json;
      engine.process(std::string(engine.fact()));
      before = e.time_ns;
    }
    engine.advance(before + 60 * kSecond);
    engine.tell_untold();
    EXPECT_GT(counters.incidents_opened.value(), 20u);
    EXPECT_GT(counters.campaigns_opened.value(), 0u);
    return told;
  }

  sigma::RuleSet rules_;
  enrich::Registry registry_;
  size_t incidents_max_ = incidents::kOpenMax;
};

std::vector<int64_t> no_steps(int64_t, int64_t) { return {}; }

TEST_F(EngineTest, TheStepsOfEventTimeDoNotMatter) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Event> events = random_events(random, 150);
    const Told wanted = run(events, 0, no_steps);
    const Told every_second = run(events, 0, [](int64_t from, int64_t to) {
      std::vector<int64_t> steps;
      for (int64_t t = from + 1; t <= to; t += kSecond) steps.push_back(t);
      return steps;
    });
    EXPECT_EQ(every_second, wanted) << "seed " << seed;
    const Told now_and_then = run(events, 0, [&](int64_t from, int64_t to) {
      std::vector<int64_t> steps;
      if (random() % 3 == 0 && to > from + 1)
        steps.push_back(from + static_cast<int64_t>(random() % static_cast<uint64_t>(to - from)));
      if (random() % 3 == 0) steps.push_back(to);
      return steps;
    });
    EXPECT_EQ(now_and_then, wanted) << "seed " << seed;
  }
}

// Live, event time walks; in a replay it comes with the facts.
TEST_F(EngineTest, NorDoTheyMatterAtTheCapOfOpenIncidents) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Event> events = random_events(random, 150);
    incidents_max_ = incidents::kOpenMax;
    const Told all = run(events, 0, no_steps);
    incidents_max_ = 4;
    const Told wanted = run(events, 0, no_steps);
    EXPECT_NE(wanted, all) << "the cap is not reached, seed " << seed;
    const Told every_second = run(events, 0, [](int64_t from, int64_t to) {
      std::vector<int64_t> steps;
      for (int64_t t = from + 1; t <= to; t += kSecond) steps.push_back(t);
      return steps;
    });
    EXPECT_EQ(every_second, wanted) << "seed " << seed;
  }
}

TEST_F(EngineTest, WhatWaitsForItsTurnIsToldInTheEnd) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Event> events = random_events(random, 150);
    const Told wanted = run(events, 0, no_steps);
    EXPECT_EQ(run(events, 100 * kSecond, no_steps), wanted) << "seed " << seed;
  }
}

// Verdicts of an agency that shares nothing count for itself, whoever else has given any.
TEST(EngineVerdicts, OfAnAgencyThatDoesNotShareLowerItsOwnSeverity) {
  sigma::Loader loader;
  loader.add_text("r.yml",
                  "title: z\nid: 11111111-1111-4111-8111-111111111111\n"
                  "logsource: {product: suricata, category: alert}\n"
                  "detection: {s: {alert.signature_id: 1}, condition: s}\nlevel: high\n");
  const sigma::RuleSet rules = loader.finish();
  rules::Diagnostics found("agencies.yaml");
  const auto registry =
      enrich::Registry::parse("agencies: [{id: G01, special: true, sharing: nothing}]", found);
  routing::Router router(registry, "a key for the pseudonyms");
  EngineSettings settings;
  settings.update_interval_ns = 0;
  EngineCounters counters;
  std::vector<events::Incident> told;
  Engine engine(registry, router, settings, counters,
                [&](const events::Incident& i) { told.push_back(i); });
  std::vector<rules::Diagnostic> diagnostics;
  engine.load(rules, diagnostics);
  const auto event = [&](int n) {
    const std::string json = R"({"timestamp":"2026-11-20T02:00:)" + std::to_string(10 + n) +
                             R"(.000000+0000","flow_id":)" + std::to_string(n + 1) +
                             R"(,"event_type":"alert","src_ip":"192.0.2.)" + std::to_string(n) +
                             R"(","dest_ip":"10.0.0.)" + std::to_string(n) +
                             R"(","alert":{"signature_id":1}})";
    const std::string padded = json + std::string(events::kRecordPaddingBytes, ' ');
    EXPECT_EQ(engine.read(std::string_view(padded).substr(0, json.size()), {"G01", "s", 1}),
              ReadResult::kFact);
    engine.process(std::string(engine.fact()));
    return told.back();
  };
  for (int n = 0; n < 10; ++n) {
    const events::Incident i = event(n);
    EXPECT_EQ(i.severity, events::Severity::kHigh) << n;
    const std::string verdict = R"({"incident_id":")" + i.id +
                                R"(","verdict":"false_positive","timestamp":"2026-11-20T02:00:)" +
                                std::to_string(10 + n) + R"(Z","agency":"G01"})";
    EXPECT_EQ(engine.read_verdict(verdict, 1), ReadResult::kFact) << engine.reason();
    EXPECT_EQ(engine.verdict_agency(), registry.find("G01"));
    engine.process(std::string(engine.fact()));
  }
  EXPECT_EQ(counters.verdicts_false.value(), 10u);
  EXPECT_EQ(event(10).severity, events::Severity::kMedium);
  EXPECT_EQ(counters.incidents_opened.value(), 11u);
}

// Each match adds its rule's risk; an event that several rules match adds all of theirs.
TEST(EngineRisk, AddsUpOverTheRulesOfOneSource) {
  const sigma::RuleSet rules = rules_of(R"(
title: odd
name: odd
level: low
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: [1, 3]}, condition: s}
---
title: bad
name: bad
level: low
vong: {risk: 45}
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: [2, 3]}, condition: s}
---
title: odd thrice
name: thrice
level: high
correlation: {type: event_count, rules: [odd], group-by: [src_ip], timespan: 10m, condition: {gte: 3}}
---
title: risk
level: high
correlation: {type: value_sum, rules: [odd, bad, thrice], group-by: [src_ip], timespan: 1h, condition: {field: risk, gte: 100}}
)");
  const enrich::Registry registry = registry_of("agencies: [{id: A, name: A}]");
  const routing::Router router(registry, "");
  const auto risky = [&](const std::vector<uint32_t>& signatures) {
    EngineCounters counters;
    Told told;
    Engine engine(registry, router, {}, counters,
                  [&](const events::Incident& i) { tell(told, i); });
    load(engine, rules);
    int64_t at = kStart;
    for (const uint32_t id : signatures) {
      at += kSecond;
      EXPECT_EQ(
          read_json(engine, alert_json(at, static_cast<uint64_t>(at), "192.0.2.1", "10.0.0.1", id),
                    {"A", "s", static_cast<uint64_t>(at)}),
          ReadResult::kFact);
      engine.process(std::string(engine.fact()));
    }
    engine.finish();
    return std::count_if(told.begin(), told.end(), [](const auto& t) {
      return events::read_incident(t.second)->rule.title == "risk";
    });
  };
  EXPECT_EQ(risky({2, 2}), 0);        // 90
  EXPECT_EQ(risky({2, 2, 1}), 1);     // 100
  EXPECT_EQ(risky({3, 2}), 1);        // 10 + 45, 45
  EXPECT_EQ(risky({1, 1}), 0);        // 20
  EXPECT_EQ(risky({1, 1, 1}), 0);     // 30 and the chain's 60
  EXPECT_EQ(risky({1, 1, 1, 1}), 1);  // 40 and the chain's 60 or more
}

}  // namespace
}  // namespace vong::correlator
