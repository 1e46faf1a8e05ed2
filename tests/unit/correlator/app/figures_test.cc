// What the centre is told as figures: precision of rules, and the counts of agencies that share
// nothing else, of which no field may leak.
#include "correlator/app/figures.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/correlator/app/engine_fixture.h"

namespace vong::correlator {
namespace {

constexpr const char* kAgencies = R"(
agencies:
  - {id: OPEN, name: open, kind: ministry}
  - {id: ANON, name: anonymised, kind: ministry, sharing: anonymised}
  - {id: ZONE, name: a zone, kind: ministry, special: true, sharing: counters, sensors: [sensor-zone]}
  - {id: QUIET, name: quiet one, kind: ministry, special: true, sharing: counters, share: {agency: counters}, sensors: [sensor-quiet]}
  - {id: SHUT, name: shut, kind: ministry, special: true, sharing: nothing, sensors: [sensor-shut]}
)";

constexpr const char* kRules = R"(
title: the rule's title
id: 11111111-1111-4111-8111-111111111111
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 1}, condition: s}
level: high
tags: [attack.t1059]
---
title: another title
id: 22222222-2222-4222-8222-222222222222
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 2}, condition: s}
level: low
)";

class FiguresTest : public testing::Test {
 protected:
  void SetUp() override { load(engine_, rules_of(kRules)); }

  void event(std::string_view agency, uint32_t sid, int64_t seconds = 0) {
    const std::string src = "198.51.100." + std::to_string(++flow_);
    const std::string sensor = "sensor-" + std::string(agency);
    ASSERT_EQ(
        read_json(engine_, alert_json(kStart + seconds * kSecond, flow_, src, "10.9.8.7", sid),
                  {agency, sensor, flow_}),
        ReadResult::kFact)
        << engine_.reason();
    engine_.process(std::string(engine_.fact()));
  }
  void verdict(const std::string& id, std::string_view agency, bool true_positive) {
    const std::string json = R"({"incident_id":")" + id + R"(","verdict":")" +
                             (true_positive ? "true" : "false") + R"(_positive","timestamp":")" +
                             eve_time(kStart + 60 * kSecond) + R"(","agency":")" +
                             std::string(agency) + "\"}";
    ASSERT_EQ(engine_.read_verdict(json, ++flow_), ReadResult::kFact);
    engine_.process(std::string(engine_.fact()));
  }
  std::vector<std::string> incidents_of(std::string_view agency) const {
    std::vector<std::string> ids;
    for (const events::Incident& i : told_) {
      if (i.agency == agency) ids.push_back(i.id);
    }
    return ids;
  }
  std::map<std::string, nlohmann::json> figures() {
    std::map<std::string, nlohmann::json> out;
    engine_.tell_figures([&](std::string_view key, std::string_view json) {
      out[std::string(key)] = nlohmann::json::parse(json);
    });
    return out;
  }

  enrich::Registry registry_ = registry_of(kAgencies);
  routing::Router router_{registry_, "a key for the pseudonyms"};
  EngineSettings settings_ = [] {
    EngineSettings s;
    s.update_interval_ns = 0;
    s.campaign.enabled = false;
    return s;
  }();
  EngineCounters counters_;
  std::vector<events::Incident> told_;
  Engine engine_{registry_, router_, settings_, counters_, [this](const events::Incident& i) {
                   if (i.status == events::IncidentStatus::kOpen) told_.push_back(i);
                 }};
  uint64_t flow_ = 0;
};

TEST_F(FiguresTest, EachRuleHasItsPrecisionByAgencyAndNation) {
  for (int i = 0; i < 4; ++i) event("OPEN", 1);
  event("ANON", 1);
  event("OPEN", 2);
  const auto open = incidents_of("OPEN");
  ASSERT_EQ(open.size(), 5u);
  EXPECT_TRUE(figures().empty());  // nobody has said anything
  verdict(open[0], "OPEN", true);
  verdict(open[1], "OPEN", false);
  verdict(open[2], "OPEN", false);
  verdict(incidents_of("ANON")[0], "ANON", true);
  const auto said = figures();
  const std::string rule = "/11111111-1111-4111-8111-111111111111";
  ASSERT_EQ(said.size(), 3u);
  const nlohmann::json& own = said.at("precision/OPEN" + rule);
  EXPECT_EQ(own["scope"], "precision");
  EXPECT_EQ(own["agency"], "OPEN");
  EXPECT_EQ(own["rule"]["title"], "the rule's title");
  EXPECT_EQ(own["true_positives"], 1);
  EXPECT_EQ(own["false_positives"], 2);
  EXPECT_DOUBLE_EQ(own["precision"].get<double>(), 0.3333);
  const nlohmann::json& nation = said.at("precision/nation" + rule);
  EXPECT_FALSE(nation.contains("agency"));
  EXPECT_EQ(nation["true_positives"], 2);
  EXPECT_EQ(nation["false_positives"], 2);
  // Who shares anonymised is known by its pseudonym.
  EXPECT_TRUE(said.contains("precision/" + router_.pseudonym("agency", "ANON") + rule));
  EXPECT_TRUE(figures().empty());  // each change once
  verdict(open[1], "OPEN", true);  // a later word replaces the one before
  const auto again = figures();
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again.at("precision/OPEN" + rule)["true_positives"], 2);
}

TEST_F(FiguresTest, WhoSharesCountersOnlyIsCountsByDay) {
  event("ZONE", 1);
  event("ZONE", 1);
  event("ZONE", 2);
  event("ZONE", 1, 86'400);
  verdict(incidents_of("ZONE")[0], "ZONE", true);
  const auto said = figures();
  ASSERT_EQ(said.size(), 1u);
  const std::string name = router_.pseudonym("agency", "ZONE");
  const nlohmann::json& r = said.at("counters/" + name);
  EXPECT_EQ(r["agency"], name);
  EXPECT_EQ(r["days"].size(), 2u);
  EXPECT_EQ(r["days"][0]["incidents"]["high"], 2);
  EXPECT_EQ(r["days"][0]["incidents"]["low"], 1);
  EXPECT_EQ(r["days"][1]["incidents"]["high"], 1);
  EXPECT_EQ(r["true_positives"], 1);
}

// Every text that is in the events, the incidents or the registry is looked for in what leaves.
TEST_F(FiguresTest, NoFieldOfWhoSharesCountersOnlyLeaks) {
  std::string left;
  for (const char* agency : {"ZONE", "QUIET", "SHUT"}) {
    for (uint32_t sid : {1u, 2u}) event(agency, sid);
    for (const std::string& id : incidents_of(agency)) verdict(id, agency, true);
  }
  size_t records = 0;
  engine_.tell_figures([&](std::string_view key, std::string_view json) {
    ++records;
    left += std::string(key) + " " + std::string(json) + "\n";
    const auto r = nlohmann::json::parse(json);
    for (const auto& [name, value] : r.items()) {
      EXPECT_TRUE(std::set<std::string>({"timestamp", "scope", "agency", "agencies", "days",
                                         "true_positives", "false_positives"})
                      .contains(name))
          << name;
    }
    for (const auto& day : r.at("days")) {
      EXPECT_EQ(day.size(), 2u);
      EXPECT_EQ(day.at("incidents").size(), 5u);
      for (const auto& [severity, count] : day.at("incidents").items())
        EXPECT_TRUE(count.is_number_unsigned()) << severity;
    }
  });
  EXPECT_EQ(records, 2u);  // one by its pseudonym, one without a name; of SHUT nothing
  for (const events::Incident& i : told_) {
    const auto copies = router_.route(i);
    ASSERT_EQ(copies.size(), 1u);  // no incident leaves either
    EXPECT_EQ(copies[0].recipient, i.agency);
    EXPECT_EQ(left.find(i.id), left.npos);
    for (const auto& [field, value] : i.key) EXPECT_EQ(left.find(value), left.npos) << value;
    for (const events::Evidence& e : i.evidence) {
      for (const std::string& text : {e.event_id, e.src_ip, e.dest_ip, e.sensor, e.agency})
        EXPECT_EQ(left.find(text), left.npos) << text;
    }
  }
  for (const char* text : {"ZONE", "QUIET", "SHUT", "sensor-", "10.9.8.7", "198.51.100.", "title",
                           "11111111-", "22222222-", "1059", "a zone", "quiet one"})
    EXPECT_EQ(left.find(text), left.npos) << text << "\n" << left;
}

TEST_F(FiguresTest, OldDaysAndRulesThatAreGoneAreForgotten) {
  for (int day = 0; day < 20; ++day) event("ZONE", 1, day * 86'400);
  verdict(incidents_of("ZONE")[19], "ZONE", true);
  auto said = figures();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said.begin()->second["days"].size(), Figures::kDaysMax);
  std::vector<rules::Diagnostic> diagnostics;
  const std::string text(kRules);
  (void)engine_.swap(
      Engine::compile(rules_of(text.substr(text.find("---") + 4)), settings_, diagnostics), 1);
  engine_.set_epoch(1);
  event("ZONE", 2, 20 * 86'400);
  said = figures();
  ASSERT_EQ(said.size(), 1u);
  uint64_t high = 0, low = 0;
  for (const auto& day : said.begin()->second["days"]) {
    high += day["incidents"]["high"].get<uint64_t>();
    low += day["incidents"]["low"].get<uint64_t>();
  }
  EXPECT_EQ(high, 0u);  // as a replay without that rule would say
  EXPECT_EQ(low, 1u);
  EXPECT_EQ(said.begin()->second["true_positives"], 0);
}

}  // namespace
}  // namespace vong::correlator
