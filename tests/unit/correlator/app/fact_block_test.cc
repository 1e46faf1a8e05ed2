// Blocks of facts come from the broker: what the reader hands on can be worked with, whatever the
// bytes say.
#include "correlator/app/fact_block.h"

#include <gtest/gtest.h>

#include <cstring>

#include "correlator/app/fact.h"
#include "tests/unit/correlator/app/engine_fixture.h"

namespace vong::correlator {
namespace {

constexpr const char* kRules = R"(
title: x
name: x
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 1}, condition: s}
---
title: three
correlation: {type: event_count, rules: [x], group-by: [src_ip], timespan: 1m, condition: {gte: 3}}
level: high
)";
constexpr const char* kAgencies = "agencies:\n  - {id: A, name: A, kind: ministry}\n";
constexpr size_t kHead = sizeof(state::EventRef) + 4;

class FactBlock : public testing::Test {
 protected:
  FactBlock() { load(engine_, rules_of(kRules)); }

  std::string fact_of_an_alert() {
    EXPECT_EQ(read_json(engine_, alert_json(kStart, 7, "10.0.0.1", "10.0.0.2", 1), {"A", "s", 1}),
              ReadResult::kFact);
    return std::string(engine_.fact());
  }
  std::string fact_of_a_verdict() {
    EXPECT_EQ(engine_.read_verdict(R"({"incident_id":"0123456789abcdef0123456789abcdef",)"
                                   R"("verdict":"true_positive","timestamp":")" +
                                       eve_time(kStart) + R"(","agency":"A"})",
                                   1),
              ReadResult::kFact);
    return std::string(engine_.fact());
  }
  // The facts that a block of this one fact has; nothing when it is refused.
  std::optional<size_t> facts_of_block(std::string_view fact) {
    FactBlockWriter writer(engine_);
    writer.add_fact("source", 0, {kStart, 1, 1}, fact);
    size_t facts = 0;
    FactBlockVisitor visitor;
    visitor.fact = [&](std::string_view, uint32_t, const ingest::OrderKey&, std::string_view f) {
      engine_.process(f);
      ++facts;
    };
    if (!read_fact_block(writer.take(), engine_, visitor)) return std::nullopt;
    return facts;
  }

  enrich::Registry registry_ = registry_of(kAgencies);
  routing::Router router_{registry_, ""};
  EngineCounters counters_;
  Engine engine_{registry_, router_, EngineSettings(), counters_, [](const events::Incident&) {}};
};

TEST_F(FactBlock, AFactComesBack) { EXPECT_EQ(facts_of_block(fact_of_an_alert()), 1u); }

TEST_F(FactBlock, AFactWithFewerColumnsThanTheBlockSaysIsLeftOut) {
  std::string fact = fact_of_an_alert();
  uint16_t rules = 0;
  std::memcpy(&rules, fact.data() + sizeof(state::EventRef), 2);
  fact.resize(kHead + rules * sizeof(uint32_t));
  std::memset(fact.data() + sizeof(state::EventRef) + 2, 0, 2);
  EXPECT_EQ(facts_of_block(fact), 0u);
}

TEST_F(FactBlock, AVerdictComesBack) { EXPECT_EQ(facts_of_block(fact_of_a_verdict()), 1u); }

TEST_F(FactBlock, AVerdictWithoutAnIncidentIsRefused) {
  const std::string fact = fact_of_a_verdict();
  for (size_t size = kHead; size < kHead + 33; ++size)
    EXPECT_FALSE(facts_of_block(fact.substr(0, size))) << size;
}

}  // namespace
}  // namespace vong::correlator
