// Other rules while the engine works: rules that stay keep what they remember, the others begin
// empty, and a replay of the same records gives the same incidents.
#include <gtest/gtest.h>

#include <random>

#include "correlator/app/rule_reload.h"
#include "correlator/app/rules_in_force.h"
#include "correlator/ingest/order.h"
#include "tests/unit/correlator/app/engine_fixture.h"

namespace vong::correlator {
namespace {

constexpr const char* kAgencies = R"(
agencies:
  - {id: A, name: A, kind: ministry}
  - {id: B, name: B, kind: ministry}
  - {id: C, name: C, kind: ministry}
)";

std::string detection(std::string_view name, int sid, std::string_view title) {
  return "title: " + std::string(title) + "\nname: " + std::string(name) +
         "\nlogsource: {product: suricata, category: alert}\ndetection: {s: {alert.signature_id: " +
         std::to_string(sid) + "}, condition: s}\nlevel: high\n---\n";
}

std::string sequence(std::string_view name, std::string_view group, std::string_view timespan) {
  return "title: " + std::string(name) + " " + std::string(timespan) +
         "\nname: " + std::string(name) +
         "\ncorrelation: {type: temporal_ordered, rules: [x, y], group-by: [" + std::string(group) +
         "], timespan: " + std::string(timespan) + "}\nlevel: high\n---\n";
}

class RulesSwap : public testing::Test {
 protected:
  Engine make(Told& told) {
    return Engine(registry_, router_, settings_, counters_,
                  [&told](const events::Incident& i) { tell(told, i); });
  }
  std::unique_ptr<RuleProgram> program(const std::string& yaml) {
    std::vector<rules::Diagnostic> diagnostics;
    return Engine::compile(rules_of(yaml), settings_, diagnostics);
  }
  void event(Engine& engine, int64_t ns, uint32_t sid) {
    ASSERT_EQ(read_json(engine, alert_json(ns, ++flow_, "198.51.100.1", "10.0.0.1", sid),
                        {"A", "s", flow_}),
              ReadResult::kFact);
    engine.process(std::string(engine.fact()));
  }
  static size_t of_title(const Told& told, std::string_view title) {
    size_t n = 0;
    for (const auto& [id, json] : told) n += json.find(title) != std::string::npos;
    return n;
  }

  enrich::Registry registry_ = registry_of(kAgencies);
  routing::Router router_{registry_, "a key for the pseudonyms"};
  EngineSettings settings_ = [] {
    EngineSettings s;
    s.update_interval_ns = 0;
    s.campaign.agencies = 2;
    return s;
  }();
  EngineCounters counters_;
  uint64_t flow_ = 0;
};

TEST_F(RulesSwap, HalfASequenceStaysWithItsRuleAndGoesWithAChangedOne) {
  const std::string both = detection("x", 1, "x") + detection("y", 2, "y");
  Told told;
  Engine engine = make(told);
  load(engine,
       rules_of(both + sequence("stays", "src_ip", "10m") + sequence("changes", "dest_ip", "10m")));
  event(engine, kStart, 1);
  EXPECT_EQ(engine.keys(), 2u);
  const Engine::Swapped s =
      engine.swap(program("# a comment\n" + sequence("changes", "dest_ip", "11m") +
                          sequence("stays", "src_ip", "10m") + both),
                  1);
  EXPECT_EQ(s.kept, 3u);
  EXPECT_EQ(s.added, 1u);
  EXPECT_EQ(s.dropped, 1u);
  EXPECT_EQ(s.dropped_keys, 1u);
  EXPECT_EQ(engine.keys(), 1u);
  engine.set_epoch(1);
  event(engine, kStart + kSecond, 2);
  EXPECT_EQ(of_title(told, "\"stays 10m\""), 1u);
  EXPECT_EQ(of_title(told, "\"changes 1"), 0u);
  event(engine, kStart + 2 * kSecond, 1);  // and from here on it works
  event(engine, kStart + 3 * kSecond, 2);
  EXPECT_EQ(of_title(told, "\"changes 11m\""), 1u);
}

TEST_F(RulesSwap, IncidentsOfRulesThatAreGoneAreClosedAndOthersGoOn) {
  Told told;
  Engine engine = make(told);
  load(engine, rules_of(detection("x", 1, "first of two") + detection("y", 2, "second of two")));
  event(engine, kStart, 1);
  event(engine, kStart, 2);
  ASSERT_EQ(engine.open_incidents(), 2u);
  const Engine::Swapped s = engine.swap(
      program(detection("z", 3, "third of two") + detection("y", 2, "second of two")), 1);
  EXPECT_EQ(s.dropped_incidents, 1u);
  EXPECT_EQ(engine.open_incidents(), 1u);
  for (const auto& [id, json] : told) {
    EXPECT_EQ(events::read_incident(json)->status, json.find("first of two") != json.npos
                                                       ? events::IncidentStatus::kClosed
                                                       : events::IncidentStatus::kOpen)
        << json;
  }
  engine.set_epoch(1);
  event(engine, kStart + kSecond, 2);
  ASSERT_EQ(told.size(), 2u);
  for (const auto& [id, json] : told) {
    if (json.find("second of two") != json.npos) {
      EXPECT_EQ(events::read_incident(json)->match_count, 2u);
    }
  }
}

TEST_F(RulesSwap, WhatOnlyPeopleReadIsNoChange) {
  Told told;
  Engine engine = make(told);
  load(engine, rules_of(detection("x", 1, "x")));
  event(engine, kStart, 1);
  const Engine::Swapped s = engine.swap(
      program("description: other words\nauthor: another\n" + detection("x", 1, "x")), 1);
  EXPECT_EQ(s.kept, 1u);
  EXPECT_EQ(s.added + s.dropped + s.dropped_incidents, 0u);
}

// Rules are changed at random among the events: what waits in the buffer is put into the new
// numbers, and who replays the records with the last rules and the record of what was in force
// stands where the first run stands.
TEST_F(RulesSwap, ReplayGivesTheSameIncidents) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    int versions = 0;
    std::vector<std::string> titles(8), texts;
    const auto another = [&](size_t i) {
      const std::string title = titles[i] = "rule " + std::to_string(++versions);
      const std::string head = "title: " + title + "\nname: r" + std::to_string(i) + "\n";
      const std::string group = random() % 2 == 0 ? "src_ip" : "dest_ip";
      const std::string tail = "level: high\nvong: {close_after: 3m}\n---\n";
      switch (i % 4) {
        case 0:
          return head + "correlation: {type: event_count, rules: [x], group-by: [" + group +
                 "], timespan: 5m, condition: {gte: 2}}\n" + tail;
        case 1:
          return head + "correlation: {type: absence, rules: [x, y], group-by: [" + group +
                 "], timespan: 90s}\n" + tail;
        case 2:
          return head + "correlation: {type: temporal, rules: [x, y], group-by: [" + group +
                 "], timespan: 4m}\n" + tail;
        default:
          return head +
                 "logsource: {product: suricata, category: alert}\ndetection: {s: "
                 "{alert.signature_id: " +
                 std::to_string(1 + random() % 4) + "}, condition: s}\n" + tail;
      }
    };
    for (size_t i = 0; i < 8; ++i) texts.push_back(another(i));
    const auto all = [&] {
      std::string yaml = detection("x", 1, "x") + detection("y", 2, "y");
      for (const std::string& t : texts) yaml += t;
      yaml += "title: both " + titles[1] + titles[2] +
              "\nname: both\ncorrelation: {type: temporal, rules: [r1, r2], group-by: "
              "[agency], timespan: 20m}\nlevel: critical\n---\n";
      return yaml;
    };
    struct Event {
      int64_t ns;
      uint32_t epoch;
      std::string agency, json;
    };
    std::vector<Event> events;
    Told live, replayed;
    Engine engine = make(live);
    load(engine, rules_of(all()));
    RulesInForce in_force;
    in_force.change(engine.rules().prints, INT64_MIN);
    ingest::ReorderBuffer reorder(1 << 20);
    const auto process = [&](std::span<const std::string_view> f) { engine.process(f); };
    int64_t at = kStart;
    size_t dropped_incidents = 0;
    for (int i = 0; i < 300; ++i) {
      at += static_cast<int64_t>(random() % 20) * kSecond;
      const std::string src = "198.51.100." + std::to_string(random() % 3);
      const std::string dest = "10.0.0." + std::to_string(random() % 3);
      events.push_back({at, in_force.last(), std::string(1, "ABC"[random() % 3]),
                        alert_json(at, static_cast<uint64_t>(i), src, dest,
                                   static_cast<uint32_t>(1 + random() % 4))});
      engine.set_epoch(in_force.last());
      if (read_json(engine, events.back().json, {events.back().agency, "s", events.size()}) ==
          ReadResult::kFact) {
        ASSERT_TRUE(reorder.push(engine.key(), engine.fact()));
      }
      const int64_t mark = at - 60 * kSecond;
      reorder.release(mark, process);
      engine.advance(mark);
      if (random() % 60 != 0) continue;
      for (size_t k = 0; k < texts.size(); ++k) {
        if (random() % 4 == 0) texts[k] = another(k);
      }
      const Engine::Swapped s = engine.swap(program(all()), in_force.last() + 1);
      dropped_incidents += s.dropped_incidents;
      reorder.rewrite(
          [&](std::string_view f, std::string& out) { return engine.translate(f, out); });
      in_force.campaigns_since_ns = engine.campaigns_since_ns();
      if (!in_force.is(engine.rules().prints))
        in_force.change(engine.rules().prints, engine.now_ns());
    }
    reorder.release(INT64_MAX, process);
    engine.advance(at + kSecond);
    in_force = *RulesInForce::parse(in_force.json());

    Engine again = make(replayed);
    load(again, rules_of(all()));
    again.apply(in_force);
    uint64_t position = 0;
    for (const Event& e : events) {
      again.set_epoch(e.epoch);
      if (read_json(again, e.json, {e.agency, "s", ++position}) == ReadResult::kFact)
        again.process(std::string(again.fact()));
    }
    again.advance(at + kSecond);
    // Of versions that are gone, and of campaigns that began anew, the replay knows nothing.
    const auto is_gone = [&](const auto& told) {
      const auto i = *events::read_incident(told.second);
      if (i.kind == events::IncidentKind::kCampaign)
        return to_ns(i.opened) <= in_force.campaigns_since_ns;
      for (const incidents::RuleFacts& f : again.rules().facts) {
        if (f.rule.title == i.rule.title) return false;
      }
      return true;
    };
    std::erase_if(live, is_gone);
    EXPECT_EQ(differences(live, replayed), "") << "seed " << seed;
    EXPECT_GT(replayed.size(), 5u);
    if (in_force.last() > 2) {
      EXPECT_GT(dropped_incidents, 0u);
    }
  }
}

TEST(RulesInForceTest, WhatIsNoSuchRecordIsNoneWhateverItsTypes) {
  for (const char* json : {R"({"version":"1"})", R"({"version":[]})", R"({"version":1})", "[1]", "",
                           R"({"version":1,"campaigns_since_ns":"x","epochs":[],"rules":{}})"})
    EXPECT_FALSE(RulesInForce::parse(json)) << json;
}

TEST(RulesInForceTest, EpochsBeginAtTheirOffsetsInEachPartition) {
  RulesInForce f;
  const uint64_t one[] = {1, 2}, two[] = {2, 3}, three[] = {3, 1};
  f.change(one, 10);
  EXPECT_EQ(f.last(), 0u);
  f.change(two, 20, {{{"e", 0}, 100}, {{"e", 1}, 0}});
  f.change(three, 30, {{{"e", 0}, 250}, {{"e", 1}, 70}});
  EXPECT_EQ(f.since, (std::map<uint64_t, uint32_t>{{3, 1}, {1, 2}}));  // 1 was away: it is new
  using Starts = RulesInForce::Starts;
  EXPECT_EQ(f.starts_in({"e", 0}), (Starts{{100, 1}, {250, 2}}));
  EXPECT_EQ(f.starts_in({"e", 1}), (Starts{{0, 1}, {70, 2}}));
  EXPECT_EQ(f.starts_in({"e", 2}), (Starts{{0, 2}}));  // came later
  const auto read = RulesInForce::parse(f.json());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->since, f.since);
  EXPECT_EQ(read->starts_in({"e", 0}), f.starts_in({"e", 0}));
  EXPECT_EQ(read->epochs[1].released_ns, 30);
  EXPECT_TRUE(read->is(three));
  EXPECT_FALSE(read->is(two));
  f.merge_until(1);
  EXPECT_EQ(f.since, (std::map<uint64_t, uint32_t>{{3, 0}, {1, 2}}));
  EXPECT_EQ(f.last(), 2u);
}

TEST(RulesInForceTest, NumberOfEpochsIsBounded) {
  RulesInForce f;
  for (uint64_t i = 0; i < 2 * RulesInForce::kEpochsMax; ++i) {
    const uint64_t prints[] = {1, 100 + i};
    f.change(prints, static_cast<int64_t>(i));
  }
  EXPECT_LE(f.epochs.size(), RulesInForce::kEpochsMax + 1);
  EXPECT_EQ(f.since.at(1), 0u);
}

TEST(RulesInForceTest, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "{}", "[]", R"({"version":2})", R"({"version":1})",
        R"({"version":1,"campaigns_since_ns":1,"epochs":[{"number":"x"}]})",
        R"({"version":1,"campaigns_since_ns":1,"epochs":[],"rules":{"0":7}})",
        R"({"version":1,"campaigns_since_ns":1,"epochs":[],"rules":{"x":"0000000000000001"}})"})
    EXPECT_FALSE(RulesInForce::parse(text) && RulesInForce::parse(text)->is({})) << text;
}

// Loaded on another thread, taken when it is ready; what is wrong leaves nothing to take.
TEST(RuleReloadTest, GivesWhatWasLoadedOnceAndCountsWhatWasRefused) {
  Counter refused;
  std::atomic<bool> good = true;
  RuleReload reload(
      [&]() -> std::optional<sigma::RuleSet> {
        if (!good) return std::nullopt;
        return rules_of(detection("x", 1, "x"));
      },
      [](RuleReload::Loaded& loaded) { loaded.program = std::make_unique<RuleProgram>(); }, {}, {},
      refused);
  EXPECT_FALSE(reload.poll());  // nobody asked
  reload.begin();
  std::optional<RuleReload::Loaded> loaded;
  while (!loaded) loaded = reload.poll();
  EXPECT_EQ(loaded->rules.detections.size(), 1u);
  EXPECT_FALSE(reload.poll());
  good = false;
  reload.begin();
  while (refused.value() == 0) EXPECT_FALSE(reload.poll());
}

}  // namespace
}  // namespace vong::correlator
