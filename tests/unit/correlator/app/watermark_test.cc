#include "correlator/app/watermark.h"

#include <gtest/gtest.h>

namespace vong::correlator {
namespace {

constexpr int64_t kDisorder = 10, kIdle = 100;

TEST(Watermark, NothingHeardNothingSaid) {
  Watermark w(kDisorder, kIdle);
  EXPECT_EQ(w.value(0), Watermark::kNever);
  w.add_partition(0, 0, 0);
  EXPECT_EQ(w.value(1000), Watermark::kNever);
}

TEST(Watermark, TheSlowestSensorHoldsUntilItIsIdle) {
  Watermark w(kDisorder, kIdle);
  w.on_record(0, 0, 1, 5000, 0);
  w.on_record(1, 0, 2, 3000, 50);
  EXPECT_EQ(w.value(60), 2990);
  EXPECT_EQ(w.active(), 2u);
  w.on_record(0, 1, 1, 6000, 140);
  EXPECT_EQ(w.value(150), 5990);  // the second has been quiet for 100
  EXPECT_FALSE(w.idle());
}

TEST(Watermark, WhenNobodySendsItGoesToTheNewest) {
  Watermark w(kDisorder, kIdle);
  w.on_record(0, 0, 1, 5000, 0);
  EXPECT_EQ(w.value(100), 5000);
  EXPECT_TRUE(w.idle());
}

// A transaction's marker stands at the end of nearly every partition: no record has its offset.
TEST(Watermark, APartitionReadToItsEndHoldsNobodyEvenWhenAMarkerStandsThere) {
  Watermark w(kDisorder, kIdle);
  w.add_partition(0, 0, 4);  // three records and a marker
  w.add_partition(1, 0, 0);
  w.on_record(0, 0, 1, 1000, 0);
  w.on_record(0, 2, 1, 3000, 0);
  EXPECT_EQ(w.value(1000), 2990);
  EXPECT_FALSE(w.idle());
  w.on_end_reached(0);
  EXPECT_EQ(w.value(1000), 3000);
  EXPECT_TRUE(w.idle());
  w.on_end_reached(7);  // not ours: nothing happens
}

}  // namespace
}  // namespace vong::correlator
