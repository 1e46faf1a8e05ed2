// Facts in order of event time, whatever order they came in. The order is total: time, then the
// sensor, then the place in the sensor's stream, so the same facts give the same order from any
// interleaving of sensors.
//
// Two ways to it. ReorderBuffer holds facts back until the watermark has passed them: bounded
// delay, for streams. FactSorter takes everything first (spilling sorted runs to a temporary file)
// and gives it back sorted: for input that has an end.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vong::ingest {

struct OrderKey {
  int64_t time_ns = 0;
  uint64_t sensor = 0;    // a fingerprint of its name
  uint64_t position = 0;  // seq, or line number
  friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
};

inline constexpr size_t kFactsAtOnce = 64;  // as many as hide each other's way to memory

// Bytes with an owner that frees them by the chunk once all of a chunk is released. Single thread.
class ChunkArena {
 public:
  struct Piece {
    uint32_t chunk = 0, offset = 0, size = 0;
  };
  [[nodiscard]] Piece add(std::string_view bytes);
  [[nodiscard]] std::string_view view(const Piece& p) const {
    return {chunks_[p.chunk].bytes.get() + p.offset, p.size};
  }
  void release(const Piece& p);
  [[nodiscard]] size_t bytes() const { return bytes_; }
  void clear();

 private:
  static constexpr size_t kChunkBytes = 256u << 10;
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size = 0, used = 0, live = 0;
  };
  std::vector<Chunk> chunks_;
  void next_chunk(size_t bytes);
  void retire(uint32_t index);

  static constexpr uint32_t kNone = 0xffffffff;
  static constexpr size_t kSpareMax = 64;
  std::vector<uint32_t> spare_, empty_;  // with and without memory
  uint32_t current_ = kNone;
  size_t bytes_ = 0;
};

class ReorderBuffer {
 public:
  // Copies `fact`. False: it is older than what was released already (late); it is then not kept.
  [[nodiscard]] bool push(const OrderKey& key, std::string_view fact);
  // Gives f(facts) everything up to and with `watermark_ns`, in order, some at a time.
  template <typename F>
  void release(int64_t watermark_ns, F&& f) {
    for (;;) {
      size_t n = 0;
      while (n < kFactsAtOnce) {
        const auto [next, place] = first();
        if (next == nullptr) break;
        const bool forced = next->key.time_ns > watermark_ns;
        if (forced && (n > 0 || arena_.bytes() <= bytes_max_)) break;
        forced_ += forced;
        pieces_[n] = next->piece;
        facts_[n++] = arena_.view(next->piece);
        released_ = next->key;
        pop(place);
        if (forced) break;
      }
      if (n == 0) return;
      f(std::span<const std::string_view>(facts_, n));
      for (size_t i = 0; i < n; ++i) arena_.release(pieces_[i]);
    }
  }
  // What is not newer than `time_ns` counts as late from now on.
  void skip_to(int64_t time_ns) {
    const OrderKey key{time_ns, UINT64_MAX, UINT64_MAX};
    if (key > released_) released_ = key;
  }
  // Puts into each fact's place what f(fact, out) makes of it; false: it goes.
  template <typename F>
  void rewrite(F&& f) {
    std::vector<std::pair<OrderKey, std::string>> kept;
    std::string out;
    for (;;) {
      const auto [next, place] = first();
      if (next == nullptr) break;
      out.clear();
      if (f(arena_.view(next->piece), out)) kept.emplace_back(next->key, out);
      arena_.release(next->piece);
      pop(place);
    }
    for (const auto& [key, fact] : kept) (void)push(key, fact);
  }
  explicit ReorderBuffer(size_t bytes_max) : bytes_max_(bytes_max) {}
  [[nodiscard]] size_t size() const { return run_.size() + in_runs_ + others_.size(); }
  [[nodiscard]] uint64_t forced() const { return forced_; }  // released early because of the cap

 private:
  struct Entry {
    OrderKey key;
    ChunkArena::Piece piece;
    bool operator>(const Entry& o) const { return key > o.key; }
  };
  enum class Place : uint8_t { kRun, kRuns, kOthers };
  struct Head {  // of a run
    OrderKey key;
    size_t slot;
    bool operator>(const Head& o) const { return key > o.key; }
  };
  template <typename T>
  using Queue = std::priority_queue<T, std::vector<T>, std::greater<>>;
  [[nodiscard]] std::pair<const Entry*, Place> first() const;
  void pop(Place place);

  static constexpr size_t kRunBits = 6;
  static size_t slot_of(uint64_t sensor) {
    return sensor * 0x9e3779b97f4a7c15ull >> (64 - kRunBits);
  }

  size_t bytes_max_;
  ChunkArena arena_;
  // What came in order stands in run_: nearly everything of a stream that is put together already.
  // A backlog of many partitions comes some of each at a time; each sensor's own is in order, so
  // it stands in a run of its sensor's. Only the rest costs a heap.
  std::deque<Entry> run_;
  std::array<std::deque<Entry>, size_t{1} << kRunBits> runs_;
  Queue<Head> heads_;  // of those of runs_ that are not empty
  size_t in_runs_ = 0;
  Queue<Entry> others_;
  OrderKey released_{INT64_MIN, 0, 0};
  ChunkArena::Piece pieces_[kFactsAtOnce];
  std::string_view facts_[kFactsAtOnce];
  uint64_t forced_ = 0;
};

class FactSorter {
 public:
  explicit FactSorter(size_t run_bytes) : run_bytes_(run_bytes) {}
  ~FactSorter();
  FactSorter(const FactSorter&) = delete;

  [[nodiscard]] Result<> add(const OrderKey& key, std::string_view fact);
  // Everything in order; f(key, fact). Once.
  template <typename F>
  [[nodiscard]] Result<> finish(F&& f) {
    sort_run();
    if (runs_.empty()) {
      for (const Entry& e : entries_) f(e.key, arena_.view(e.piece));
      return {};
    }
    if (auto spilled = spill(); !spilled) return spilled;
    return merge([&](const OrderKey& key, std::string_view fact) { f(key, fact); });
  }

 private:
  struct Entry {
    OrderKey key;
    ChunkArena::Piece piece;
  };
  struct Run {
    long begin, end;  // bytes of file_
  };
  void sort_run();
  [[nodiscard]] Result<> spill();
  [[nodiscard]] Result<> merge(const std::function<void(const OrderKey&, std::string_view)>& f);

  size_t run_bytes_;
  ChunkArena arena_;
  std::vector<Entry> entries_;
  std::vector<Run> runs_;
  std::FILE* file_ = nullptr;  // unlinked
};

}  // namespace vong::ingest
