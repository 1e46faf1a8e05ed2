#include "sensor/capture/card_drops.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vong::capture {
namespace {

class CardDropsTest : public testing::Test {
 protected:
  CardDropsTest() { std::filesystem::create_directories(folder_ / "statistics"); }
  ~CardDropsTest() override { std::filesystem::remove_all(folder_); }
  void set(const char* counter, uint64_t value) { std::ofstream(folder_ / "statistics" / counter) << value << "\n"; }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("card-drops-" + std::to_string(::getpid()));
};

TEST_F(CardDropsTest, CountsWhatIsLostSinceTheStart) {
  set("rx_missed_errors", 1000);
  set("rx_fifo_errors", 5);
  CardDrops drops;
  EXPECT_EQ(drops.since_open(), 0u);
  drops.open(folder_);
  EXPECT_EQ(drops.since_open(), 0u);
  set("rx_missed_errors", 1007);
  set("rx_fifo_errors", 6);
  EXPECT_EQ(drops.since_open(), 8u);
  EXPECT_EQ(drops.since_open(), 8u);
}

TEST_F(CardDropsTest, CardThatWasResetGoesOnCounting) {
  set("rx_missed_errors", 1000);
  CardDrops drops;
  drops.open(folder_);
  set("rx_missed_errors", 1004);
  EXPECT_EQ(drops.since_open(), 4u);
  set("rx_missed_errors", 3);
  EXPECT_EQ(drops.since_open(), 7u);
}

TEST_F(CardDropsTest, InterfaceWithoutCountersHasLostNothing) {
  CardDrops drops;
  drops.open(folder_ / "nosuch");
  EXPECT_EQ(drops.since_open(), 0u);
}

}  // namespace
}  // namespace vong::capture
