#include "exporters/sink/record.h"

#include <gtest/gtest.h>

namespace vong::sink {
namespace {

TEST(StoredEvent, ComesBackAsItWas) {
  std::string bytes;
  encode({.key = "flow-1", .value = std::string_view("{\"a\":\0}", 7), .ruleset = "abc"}, bytes);
  const auto event = decode(as_bytes(bytes));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->key, "flow-1");
  EXPECT_EQ(event->ruleset, "abc");
  EXPECT_EQ(event->value.size(), 7u);
}

TEST(StoredEvent, LongKeysAreCut) {
  std::string bytes;
  const std::string key(100'000, 'k');
  encode({.key = key, .value = "v", .ruleset = key}, bytes);
  const auto event = decode(as_bytes(bytes));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->key.size(), kMaxKeyBytes);
  EXPECT_EQ(event->ruleset.size(), kMaxRulesetBytes);
  EXPECT_EQ(event->value, "v");
}

TEST(StoredEvent, EveryCutIsRefusedOrShorter) {
  std::string bytes;
  encode({.key = "key", .value = "", .ruleset = "rules"}, bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(decode(as_bytes(bytes.substr(0, n)))) << n;
  bytes[0] = 9;
  EXPECT_FALSE(decode(as_bytes(bytes)));
}

TEST(Outcome, CountersBalance) {
  SinkCounters counters;
  Outcome outcome;
  outcome.accepted = 3;
  outcome.drop(DropReason::kShed, Priority::kBulk);
  outcome.drop(DropReason::kFull, Priority::kCritical);
  counters.count(outcome);
  EXPECT_EQ(counters.in_events.value(), 5u);
  EXPECT_EQ(counters.accepted_events.value(), 3u);
  EXPECT_EQ(counters.dropped_events[static_cast<std::size_t>(DropReason::kFull)].value(), 1u);
  for (std::size_t i = 0; i < kDropReasons; ++i)
    EXPECT_NE(drop_reason_name(static_cast<DropReason>(i)), "unknown");
}

}  // namespace
}  // namespace vong::sink
