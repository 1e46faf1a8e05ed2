// Memory for stream buffers: blocks of four sizes for each power of two (waste: a quarter at most),
// kept in free lists of the worker, counted against stream.reassembly.memcap. Not thread-safe: one
// per worker.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sensor/reassembly/limits.h"

namespace vong::reassembly {

class BlockPool {
 public:
  explicit BlockPool(uint64_t memcap_bytes) : memcap_bytes_(memcap_bytes) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  struct Block {
    uint8_t* data = nullptr;
    uint32_t size = 0;
  };

  // At least `size` bytes; data is null when the memcap (0: none) or the largest class forbids it.
  [[nodiscard]] Block take(size_t size);
  void give_back(Block block);

  [[nodiscard]] uint64_t in_use_bytes() const { return in_use_; }
  [[nodiscard]] uint64_t refused() const { return refused_; }

 private:
  static constexpr unsigned kClasses = 4 * (kLargestBlockBits - kSmallestBlockBits) + 1;

  const uint64_t memcap_bytes_;
  uint64_t in_use_ = 0, pooled_ = 0, refused_ = 0;
  std::array<std::vector<uint8_t*>, kClasses> free_;
};

}  // namespace vong::reassembly
