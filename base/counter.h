// What a room counts: cells that cost one plain add on the hot path. One thread writes a cell, any
// thread reads it; a room that runs in several workers gives each worker a struct of cells of its
// own (alignas(kCacheLine), so that no line is shared), and telemetry/ adds them up when somebody
// asks. A cell is not a lock-free counter for many writers: use SharedCounter there.
#pragma once

#include <atomic>
#include <cstdint>

namespace vong {

inline constexpr std::size_t kCacheLine = 64;

class Counter {
 public:
  // The owner's thread only.
  void add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// A value that goes up and down: sizes, ages, states.
class Gauge {
 public:
  // The owner's thread only.
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// For rare events that several threads count.
class SharedCounter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace vong
