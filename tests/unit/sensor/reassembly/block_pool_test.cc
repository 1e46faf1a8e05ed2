#include "sensor/reassembly/block_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace vong::reassembly {
namespace {

TEST(BlockPool, ABlockHoldsWhatWasAskedForAndWastesAQuarterAtMost) {
  BlockPool pool(0);
  for (size_t size = 1; size < 70'000; size += size < 2'000 ? 1 : 37) {
    const BlockPool::Block block = pool.take(size);
    ASSERT_NE(block.data, nullptr);
    ASSERT_GE(block.size, size);
    if (size > size_t{1} << kSmallestBlockBits) ASSERT_LE(block.size, size + size / 4 + 1) << size;
    pool.give_back(block);
  }
  EXPECT_EQ(pool.in_use_bytes(), 0u);
}

TEST(BlockPool, ABlockThatWasGivenBackServesTheNextOfItsSizeOnly) {
  BlockPool pool(0);
  const BlockPool::Block small = pool.take(1300), large = pool.take(1700);
  ASSERT_NE(small.size, large.size);
  pool.give_back(small);
  const BlockPool::Block other = pool.take(large.size);
  EXPECT_NE(other.data, small.data);
  const BlockPool::Block again = pool.take(small.size);
  EXPECT_EQ(again.data, small.data);
  EXPECT_EQ(again.size, small.size);
  for (const auto& block : {large, other, again}) pool.give_back(block);
}

TEST(BlockPool, NeitherMoreThanTheLargestClassNorThanTheMemcap) {
  BlockPool pool(4096);
  EXPECT_EQ(pool.take((size_t{1} << kLargestBlockBits) + 1).data, nullptr);
  const BlockPool::Block half = pool.take(3000);
  ASSERT_NE(half.data, nullptr);
  EXPECT_EQ(pool.take(3000).data, nullptr);
  EXPECT_EQ(pool.refused(), 2u);
  pool.give_back(half);
  const BlockPool::Block whole = pool.take(4096);
  EXPECT_NE(whole.data, nullptr);
  pool.give_back(whole);
}

TEST(BlockPool, TheLargestClassIsThere) {
  BlockPool pool(0);
  const BlockPool::Block block = pool.take(size_t{1} << kLargestBlockBits);
  ASSERT_NE(block.data, nullptr);
  EXPECT_EQ(block.size, uint32_t{1} << kLargestBlockBits);
  pool.give_back(block);
}

}  // namespace
}  // namespace vong::reassembly
