#include "sensor/reassembly/block_pool.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>

namespace vong::reassembly {
namespace {

unsigned class_of(size_t size) {
  const unsigned bits = size <= 1 ? 0 : static_cast<unsigned>(std::bit_width(size - 1));
  return std::max(bits, kSmallestBlockBits) - kSmallestBlockBits;
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
  const uint32_t bytes = uint32_t{1} << (c + kSmallestBlockBits);
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
