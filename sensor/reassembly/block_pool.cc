#include "sensor/reassembly/block_pool.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>

namespace vong::reassembly {
namespace {

// Class 0 is the smallest size; then those that add a quarter of the power of two below at a time.
unsigned class_of(size_t size) {
  if (size <= size_t{1} << kSmallestBlockBits) return 0;
  const size_t last = size - 1;
  const auto bits = static_cast<unsigned>(std::bit_width(last)) - 1;
  return (bits - kSmallestBlockBits) * 4 + static_cast<unsigned>(last >> (bits - 2) & 3) + 1;
}
uint32_t size_of(unsigned c) {
  if (c == 0) return uint32_t{1} << kSmallestBlockBits;
  const uint32_t quarter = uint32_t{1} << (kSmallestBlockBits + (c - 1) / 4 - 2);
  return quarter * (4 + (c - 1) % 4 + 1);
}

}  // namespace

BlockPool::~BlockPool() {
  for (auto& list : free_) {
    for (uint8_t* block : list) std::free(block);
  }
}

BlockPool::Block BlockPool::take(size_t size) {
  const unsigned c = class_of(size);
  if (c >= kClasses) {
    ++refused_;
    return {};
  }
  const uint32_t bytes = size_of(c);
  if (memcap_bytes_ != 0 && in_use_ + bytes > memcap_bytes_) {
    ++refused_;
    return {};
  }
  uint8_t* data;
  if (!free_[c].empty()) {
    data = free_[c].back();
    free_[c].pop_back();
    pooled_ -= bytes;
  } else {
    data = static_cast<uint8_t*>(std::malloc(bytes));
    if (data == nullptr) {
      ++refused_;
      return {};
    }
  }
  in_use_ += bytes;
  return {data, bytes};
}

void BlockPool::give_back(Block block) {
  if (block.data == nullptr) return;
  assert(in_use_ >= block.size);
  in_use_ -= block.size;
  if (pooled_ + block.size > kPooledBytesMax) {
    std::free(block.data);
    return;
  }
  pooled_ += block.size;
  free_[class_of(block.size)].push_back(block.data);
}

}  // namespace vong::reassembly
