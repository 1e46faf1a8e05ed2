// Tables keyed by hosts: a flood from ever new addresses must not fill them with what is over.
#include "sensor/detect/shared_state.h"

#include <gtest/gtest.h>

namespace vong::detect {
namespace {

constexpr int64_t kMs = 1'000'000, kWindow = 10'000 * kMs;

ThresholdKey key_of(uint32_t i) { return {.rule = 1, .kind = 0, .a = IpAddress::v4(i), .b = {}}; }

TEST(ThresholdTable, WhatIsOverGoesBeforeTheTableGrows) {
  ThresholdTable table;
  constexpr uint32_t kHosts = 300'000;  // one a millisecond; each counts for ten seconds
  bool fresh = false;
  for (uint32_t i = 0; i < kHosts; ++i) {
    ThresholdEntry* e = table.entry(key_of(i), i * kMs, fresh);
    ASSERT_NE(e, nullptr);
    ASSERT_TRUE(fresh);
    e->keep_until_ns = i * kMs + kWindow;
  }
  const int64_t now = kHosts * kMs;
  uint32_t kept = 0, lost = 0;
  for (uint32_t i = kHosts - 5'000; i < kHosts; ++i) {  // these still count
    (void)table.entry(key_of(i), now, fresh);
    lost += fresh;
  }
  EXPECT_EQ(lost, 0u);
  for (uint32_t i = 0; i < kHosts - 20'000; i += 100) {
    (void)table.entry(key_of(i), now, fresh);
    kept += !fresh;
  }
  EXPECT_LT(kept, 300u) << "of 2,800 that are over";
}

TEST(ThresholdTable, WhatStillCountsStaysHoweverMuchItIs) {
  ThresholdTable table;
  bool fresh = false;
  for (uint32_t i = 0; i < 100'000; ++i)
    table.entry(key_of(i), i, fresh)->keep_until_ns = INT64_MAX;
  for (uint32_t i = 0; i < 100'000; i += 7) {
    (void)table.entry(key_of(i), kWindow, fresh);
    EXPECT_FALSE(fresh) << i;
  }
}

}  // namespace
}  // namespace vong::detect
