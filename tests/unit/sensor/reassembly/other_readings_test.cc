// Conflicting segments are kept as every policy reads them: for every sequence of up to three segments over five places, whoever the
// receiver is, the readings are those that hosts with the other policies have. Likewise fragments.
#include "sensor/reassembly/other_readings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sensor/reassembly/limits.h"
#include "tests/unit/sensor/reassembly/tcp_bench.h"

namespace vong::reassembly {
namespace {

struct Segment {
  uint64_t begin, end;
};

struct Stream final : ConflictObserver {
  explicit Stream(OsPolicy p) : policy(p) {}
  void on_conflict(const StreamBuffer& before, bool) override {
    if (!readings) readings = OtherReadings::begin(alive, pool, before, policy, 0, 0, false);
  }
  void add(const Segment& s, char letter) {
    const std::string bytes(s.end - s.begin, letter);
    ASSERT_EQ(buffer.insert(pool, s.begin, as_bytes(bytes), policy, 8, this).status, InsertStatus::kOk);
    if (readings) {
      ASSERT_TRUE(readings->insert(s.begin, as_bytes(bytes), buffer.final_end()));
    }
  }
  [[nodiscard]] std::string text() const { return std::string(as_text(buffer.view(0, buffer.contiguous_end()))); }

  uint64_t alive = 0;
  BlockPool pool{0};
  const OsPolicy policy;
  StreamBuffer buffer;
  std::unique_ptr<OtherReadings> readings;
};

std::string read_as(OsPolicy policy, const std::vector<Segment>& sequence) {
  Stream s(policy);
  char letter = 'a';
  for (const Segment& segment : sequence) s.add(segment, letter++);
  return s.text();
}

TEST(OtherReadings, EverySequenceOfUpToThreeSegmentsIsReadByEveryPolicy) {
  constexpr uint64_t kPlaces = 5;
  std::vector<Segment> all;
  for (uint64_t begin = 0; begin < kPlaces; ++begin) {
    for (uint64_t end = begin + 1; end <= kPlaces; ++end) all.push_back({begin, end});
  }
  size_t ambiguous = 0;
  const auto check = [&](const std::vector<Segment>& sequence) {
    std::set<std::string> expected;
    for (const OsPolicy p : kPolicyFamilies) expected.insert(read_as(p, sequence));
    for (const OsPolicy host : kPolicyFamilies) {
      Stream s(host);
      char letter = 'a';
      for (const Segment& segment : sequence) s.add(segment, letter++);
      std::set<std::string> got;
      if (s.readings) {
        const auto readings = s.readings->readings(UINT64_MAX);
        ASSERT_EQ(as_text(readings[0].data), s.text());
        for (const auto& r : readings) {
          ASSERT_TRUE(got.insert(std::string(as_text(r.data))).second) << "told twice";
          for (const auto& policy : r.policies) {
            const auto p = std::find_if(kPolicyFamilies.begin(), kPolicyFamilies.end(), [&](OsPolicy f) { return name_of(f) == policy; });
            ASSERT_EQ(as_text(r.data), read_as(*p, sequence)) << policy;
          }
        }
      } else {
        got.insert(s.text());
      }
      ASSERT_EQ(got, expected) << name_of(host);
    }
    ambiguous += expected.size() > 1;
  };
  for (const auto& a : all) {
    for (const auto& b : all) {
      check({a, b});
      for (const auto& c : all) check({a, b, c});
    }
  }
  EXPECT_GT(ambiguous, 1000u);
}

TEST(OtherReadings, EveryPolicySaysTheSameAsItsFamily) {
  for (int i = 0; i < static_cast<int>(OsPolicy::kCount); ++i) {
    const auto p = static_cast<OsPolicy>(i);
    for (uint64_t nb = 0; nb < 3; ++nb) {
      for (uint64_t ne = 3; ne < 6; ++ne)
        EXPECT_EQ(new_segment_wins(p, nb, ne, 1, 4), new_segment_wins(family_of(p), nb, ne, 1, 4)) << name_of(p);
    }
  }
}

TcpConfig switched_on() {
  TcpConfig c;
  c.other_readings = true;
  return c;
}

TEST(OtherReadings, BeginAtAConflictAndCostNothingBefore) {
  TcpBench b(switched_on());
  b.handshake();
  b.c("A", 1, 1, "GET /");
  b.c("A", 3, 1, "T /good");
  EXPECT_EQ(b.session().readings(Direction::kToServer), nullptr);
  EXPECT_EQ(b.session().rare, nullptr);
  b.c("A", 6, 1, "evil");
  const OtherReadings* r = b.session().readings(Direction::kToServer);
  ASSERT_NE(r, nullptr);
  EXPECT_EQ(b.session().readings(Direction::kToClient), nullptr);
  b.c("A", 10, 1, " HTTP");
  b.s("A", 1, 15);
  const auto readings = r->readings(14);
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_EQ(as_text(readings[0].data), "GET /good HTTP");
  EXPECT_EQ(as_text(readings[1].data), "GET /evil HTTP");
  EXPECT_EQ(readings[1].policies, (std::vector<std::string_view>{"last", "bsd-right"}));
  EXPECT_EQ(b.engine.readings_alive(), 1u);
  b.finish();
  EXPECT_EQ(b.engine.readings_alive(), 0u);
  EXPECT_EQ(b.engine.reassembly_memuse_bytes(), 0u);
}

TEST(OtherReadings, WhatTheReceiverHasAcknowledgedIsReadOneWay) {
  TcpBench b(switched_on());
  b.handshake();
  b.c("A", 1, 1, "good");
  b.s("A", 1, 5);
  b.c("A", 1, 1, "evil");
  EXPECT_EQ(b.session().readings(Direction::kToServer), nullptr);
}

TEST(OtherReadings, AreGivenUpBeyondTheCapAndCanBeTurnedOff) {
  TcpBench none;
  none.handshake();
  none.c("A", 1, 1, "good");
  none.c("A", 1, 1, "evil");
  EXPECT_TRUE(none.session().ambiguous);
  EXPECT_EQ(none.session().rare, nullptr);

  TcpBench b(switched_on());
  b.window = 65535;
  b.handshake();
  b.c("A", 1, 1, "good");
  b.c("A", 1, 1, "evil");
  EXPECT_EQ(b.engine.counters().readings_begun, 1u);
  const std::string much(kMaxReadingBytes / 2, 'x');
  b.c("A", 5, 1, much);
  EXPECT_NE(b.session().readings(Direction::kToServer), nullptr);
  b.s("A", 1, static_cast<uint32_t>(5 + much.size()));
  b.c("A", static_cast<uint32_t>(5 + much.size()), 1, much);
  EXPECT_EQ(b.session().readings(Direction::kToServer), nullptr);
  EXPECT_EQ(b.engine.counters().readings_given_up, 1u);
  EXPECT_EQ(b.engine.readings_alive(), 0u);
}

}  // namespace
}  // namespace vong::reassembly
