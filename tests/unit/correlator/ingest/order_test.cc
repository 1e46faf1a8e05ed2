#include "correlator/ingest/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace vong::ingest {
namespace {

struct Item {
  OrderKey key;
  std::string fact;
};

std::vector<Item> random_items(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Item> items;
  for (size_t i = 0; i < n; ++i) {
    items.push_back({{static_cast<int64_t>(random() % 1000), random() % 5, i},
                     std::string(random() % 300, 'x') + std::to_string(i)});
  }
  return items;
}

std::vector<std::string> sorted_facts(std::vector<Item> items) {
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.key < b.key; });
  std::vector<std::string> out;
  for (const Item& i : items) out.push_back(i.fact);
  return out;
}

TEST(ReorderBuffer, ReleasesInOrderUpToTheWatermark) {
  ReorderBuffer buffer(1 << 20);
  std::string out;
  const auto take = [&](std::span<const std::string_view> facts) {
    for (const std::string_view f : facts) out += f;
  };
  ASSERT_TRUE(buffer.push({10, 0, 1}, "b"));
  ASSERT_TRUE(buffer.push({5, 0, 2}, "a"));
  ASSERT_TRUE(buffer.push({20, 0, 3}, "d"));
  ASSERT_TRUE(buffer.push({15, 0, 4}, "c"));
  buffer.release(10, take);
  EXPECT_EQ(out, "ab");
  EXPECT_FALSE(buffer.push({9, 0, 5}, "late"));
  ASSERT_TRUE(buffer.push({12, 0, 6}, "-"));
  buffer.release(INT64_MAX, take);
  EXPECT_EQ(out, "ab-cd");
}

TEST(ReorderBuffer, GivesBackEverythingInOrder) {
  const auto items = random_items(20'000, 1);
  ReorderBuffer buffer(64 << 20);
  for (const Item& i : items) ASSERT_TRUE(buffer.push(i.key, i.fact));
  std::vector<std::string> out;
  buffer.release(INT64_MAX, [&](std::span<const std::string_view> facts) {
    out.insert(out.end(), facts.begin(), facts.end());
  });
  EXPECT_EQ(out, sorted_facts(items));
  EXPECT_EQ(buffer.size(), 0u);
}

// Many sensors' streams, each in order, that are read some records at a time and some faster than
// others.
TEST(ReorderBuffer, PutsABacklogOfManySensorsInOrder) {
  for (const size_t sensors : {3u, 40u, 200u}) {
    std::mt19937 random(7);
    std::vector<std::vector<Item>> streams(sensors);
    for (size_t s = 0; s < sensors; ++s) {
      int64_t time = 0;
      for (uint64_t i = 0; i < 6000 / sensors; ++i) {
        time += static_cast<int64_t>(random() % 20);
        const int64_t disorder = random() % 10 == 0 ? 3 : 0;
        streams[s].push_back({{time - disorder, s * 7919, i}, std::to_string(s * 100'000 + i)});
      }
    }
    std::vector<Item> all;
    for (const auto& s : streams) all.insert(all.end(), s.begin(), s.end());
    ReorderBuffer buffer(64 << 20);
    std::vector<std::string> out;
    const auto take = [&](std::span<const std::string_view> facts) {
      out.insert(out.end(), facts.begin(), facts.end());
    };
    std::vector<size_t> next(sensors);
    for (bool left = true; left;) {
      left = false;
      int64_t low = INT64_MAX;
      for (size_t s = 0; s < sensors; ++s) {
        for (size_t n = random() % 50; n > 0 && next[s] < streams[s].size(); --n, ++next[s])
          ASSERT_TRUE(buffer.push(streams[s][next[s]].key, streams[s][next[s]].fact));
        if (next[s] == streams[s].size()) continue;
        left = true;
        low = std::min(low, next[s] == 0 ? 0 : streams[s][next[s] - 1].key.time_ns);
      }
      buffer.release(left ? low - 4 : INT64_MAX, take);
    }
    EXPECT_EQ(out, sorted_facts(all)) << sensors << " sensors";
    EXPECT_EQ(buffer.size(), 0u);
    EXPECT_EQ(buffer.forced(), 0u);
  }
}

TEST(ReorderBuffer, ReleasesEarlyAtItsCapAndCountsIt) {
  ReorderBuffer buffer(600 << 10);
  size_t released = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(buffer.push({static_cast<int64_t>(i), 0, i}, std::string(50'000, 'x')));
    buffer.release(-1, [&](std::span<const std::string_view> facts) { released += facts.size(); });
  }
  EXPECT_GT(released, 50u);
  EXPECT_EQ(buffer.forced(), released);
}

TEST(FactSorter, SortsInMemoryAndThroughRunsOnDisk) {
  const auto items = random_items(20'000, 2);
  for (const size_t run_bytes : {size_t{64} << 20, size_t{300} << 10}) {
    FactSorter sorter(run_bytes);
    for (const Item& i : items) ASSERT_TRUE(sorter.add(i.key, i.fact));
    std::vector<std::string> out;
    ASSERT_TRUE(sorter.finish([&](const OrderKey&, std::string_view f) { out.emplace_back(f); }));
    EXPECT_EQ(out, sorted_facts(items)) << run_bytes;
  }
}

}  // namespace
}  // namespace vong::ingest
