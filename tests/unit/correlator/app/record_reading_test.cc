// Records read ahead on another thread: what comes back is what one engine says of the same records
// in the same order.
#include "correlator/app/record_reading.h"

#include <gtest/gtest.h>

#include <random>

#include "correlator/app/committer.h"
#include "correlator/app/fact.h"
#include "tests/unit/correlator/app/engine_fixture.h"

namespace vong::correlator {
namespace {

constexpr const char* kRules = R"(
title: one
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 1}, condition: s}
---
title: two
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: [1, 2]}, condition: s}
)";

struct Given {
  std::string value, sensor;
  uint64_t position;
};

class RecordReadingTest : public testing::Test {
 protected:
  RecordReadingTest() {
    from_.second.holds = Partition::Holds::kEvents;
    reading_.load(Engine::compile(rules_of(kRules), {}));
    reading_.count_into(counters_);
  }

  Given record(uint64_t n) {
    const auto sensor = "s" + std::to_string(random_() % 3);
    if (random_() % 10 == 0) return {"no JSON\n{", sensor, n};
    return {alert_json(kStart + static_cast<int64_t>(n) * kSecond, n, "198.51.100.1", "10.0.0.1",
                       static_cast<uint32_t>(1 + random_() % 3)),
            sensor, n};
  }
  void give(std::span<const Given> records) {
    auto batch = reading_.empty();
    for (const Given& g : records) {
      RecordReading::Batch::Item item;
      item.name = &from_.first;
      item.from = &from_.second;
      item.position = g.position;
      item.offset = static_cast<int64_t>(g.position);
      item.epoch = 3;
      batch->add(g.value, g.sensor, item);
    }
    reading_.give(std::move(batch));
  }
  // Everything of a batch as lines.
  void take(bool wait, std::vector<std::string>& out) {
    auto batch = reading_.take(wait);
    if (!batch) return;
    for (const auto& [name, print] : batch->sensors) sensors_.push_back(name);
    size_t at = 0, refused = 0;
    for (const auto& i : batch->items) {
      if (i.result == ReadResult::kRefused) {
        out.push_back("refused " + batch->refused.at(refused++));
        continue;
      }
      const std::string_view fact = std::string_view(batch->facts).substr(at, i.fact_bytes);
      at += i.fact_bytes;
      out.push_back(line(i.time_ns, i.sensor, i.key, fact, sensors_));
    }
    reading_.give_back(std::move(batch));
  }
  static std::string line(int64_t time_ns, uint64_t print, const ingest::OrderKey& key,
                          std::string_view fact, const std::vector<std::string>& sensors) {
    std::string out = std::to_string(time_ns) + " " + std::to_string(print);
    if (fact.empty()) return out;
    const FactView view(fact);
    out += " " + sensors.at(view.ref.sensor) + " " + std::to_string(key.position) + " " +
           std::to_string(view.ref.rules_epoch);
    for (size_t i = 0; i < view.rule_count(); ++i) out += " " + std::to_string(view.rule(i));
    return out;
  }
  std::vector<std::string> by_one_engine(std::span<const Given> records) {
    EngineCounters counters;
    Engine engine(registry_, router_, {}, counters, [](const events::Incident&) {});
    load(engine, rules_of(kRules));
    engine.set_epoch(3);
    std::vector<std::string> out;
    for (const Given& g : records) {
      const ReadResult r = read_json(engine, g.value, {"A", g.sensor, g.position});
      if (r == ReadResult::kRefused) {
        out.push_back("refused " + std::string(engine.reason()));
        continue;
      }
      std::vector<std::string> sensors;
      for (uint32_t i = 0; i < engine.sensor_count(); ++i) sensors.push_back(engine.sensor_name(i));
      out.push_back(line(engine.time_ns(), engine.sensor_print(), engine.key(),
                         r == ReadResult::kFact ? engine.fact() : std::string_view(), sensors));
    }
    return out;
  }

  enrich::Registry registry_ = registry_of("agencies: [{id: A, name: A, kind: ministry}]");
  routing::Router router_{registry_, "a key for the pseudonyms"};
  EngineCounters counters_;
  RecordReading reading_{registry_, router_, {}};
  Partitions::Entry from_{{"vong.events.A", 0}, {}};
  std::vector<std::string> sensors_;
  std::mt19937 random_{7};
};

TEST_F(RecordReadingTest, SaysWhatOneEngineSaysInTheSameOrder) {
  std::vector<Given> records;
  for (uint64_t n = 0; n < 5000; ++n) records.push_back(record(n));
  std::vector<std::string> got;
  for (size_t at = 0; at < records.size();) {
    const size_t n = std::min<size_t>(1 + random_() % 900, records.size() - at);
    give(std::span(records).subspan(at, n));
    at += n;
    take(random_() % 2 == 0, got);
  }
  while (reading_.ahead() > 0) take(true, got);
  EXPECT_EQ(got, by_one_engine(records));
  EXPECT_EQ(counters_.records.value(), records.size());
}

TEST_F(RecordReadingTest, WhatIsDiscardedLeavesNothingBehind) {
  std::vector<Given> records;
  for (uint64_t n = 0; n < 100; ++n) records.push_back(record(n));
  for (int i = 0; i < 5; ++i) give(records);
  reading_.discard();
  EXPECT_EQ(reading_.ahead(), 0u);
  EXPECT_EQ(reading_.take(true), nullptr);
  reading_.begin_names();  // who works with the facts begins anew
  give(records);
  std::vector<std::string> got;
  take(true, got);
  EXPECT_EQ(got, by_one_engine(records));
}

TEST_F(RecordReadingTest, OtherRulesKeepTheNumbersOfSensors) {
  std::vector<Given> records{{alert_json(kStart, 1, "198.51.100.1", "10.0.0.1", 1), "first", 1}};
  std::vector<std::string> got;
  give(records);
  take(true, got);
  reading_.load(Engine::compile(rules_of(kRules), {}));
  records[0].sensor = "second";
  give(records);
  take(true, got);
  EXPECT_EQ(sensors_, (std::vector<std::string>{"first", "second"}));
}

TEST(CommitterTest, GivesEachOutcomeOnce) {
  Committer committer;
  EXPECT_FALSE(committer.outcome(true));
  committer.begin([]() -> kafka::KafkaResult<> { return {}; });
  committer.wait();
  EXPECT_TRUE(committer.busy());
  const auto done = committer.outcome(false);
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
  EXPECT_FALSE(committer.busy());
  committer.begin([]() -> kafka::KafkaResult<> {
    return std::unexpected(kafka::KafkaError{kafka::Answer::kAbort, 0, "aborted"});
  });
  EXPECT_EQ(committer.outcome(true)->error().answer, kafka::Answer::kAbort);
}

}  // namespace
}  // namespace vong::correlator
