// The bytes of one direction of a TCP connection, by stream offset: what came, in which segments,
// and who won where they overlap.
//
// Offsets count from the first byte after the SYN. Three marks cut the line:
//   released   below it nothing is kept
//   final      below it bytes have been given to a consumer and never change again, whatever is
//   sent later contiguous up to here every byte is known (or was given up as a gap)
// Beyond `final` the segments keep their boundaries, since overlap policies ask for them.
//
// Memory: regions of contiguous addresses in blocks of the worker's pool, almost always one; none
// while nothing is kept: most connections are idle most of the time, so all that speaks of kept
// bytes stands apart (Store) and goes with them. A stream that is in order costs one copy a byte.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/bytes.h"
#include "sensor/reassembly/block_pool.h"
#include "sensor/reassembly/os_policy.h"

namespace vong::reassembly {

enum class InsertStatus : uint8_t {
  kOk,
  kNothingNew,
  kTooManySegments,
  kTooManyRegions,
  kNoMemory
};

struct InsertResult {
  InsertStatus status = InsertStatus::kOk;
  bool overlap = false;    // some byte was known before
  bool different = false;  // ... with another value
};

class StreamBuffer;

// Is told of bytes that differ from those kept before any of them is put in.
class ConflictObserver {
 public:
  // `given_out`: the bytes that are kept have been given to a consumer and stay.
  virtual void on_conflict(const StreamBuffer& before, bool given_out) = 0;

 protected:
  ~ConflictObserver() = default;
};

class StreamBuffer {
 public:
  StreamBuffer() = default;
  // The pool must be the same in all calls, and outlive the buffer.
  InsertResult insert(BlockPool& pool, uint64_t offset, Bytes data, OsPolicy policy,
                      uint8_t max_regions, ConflictObserver* observer = nullptr);
  // Becomes what `other` is from `from` on, which must lie at or above its released() and have no
  // hole between it and the end of what is contiguous. `reopen`: also what was given out may change
  // again. False: no memory, the buffer is of no use then.
  [[nodiscard]] bool copy(BlockPool& pool, const StreamBuffer& other, uint64_t from, bool reopen);

  [[nodiscard]] uint64_t released() const { return released_; }
  [[nodiscard]] uint64_t final_end() const { return final_; }
  [[nodiscard]] uint64_t contiguous_end() const { return contiguous_; }
  [[nodiscard]] uint64_t highest() const { return highest_; }  // end of the last byte seen so far

  // Bytes [from, to), which must be known and kept; shorter where a region ends (never within what
  // came in order).
  [[nodiscard]] Bytes view(uint64_t from, uint64_t to) const;
  // Where known bytes begin at or after `offset`; UINT64_MAX: nowhere.
  [[nodiscard]] uint64_t next_known(uint64_t offset) const;
  // End of the known bytes that begin at `offset`.
  [[nodiscard]] uint64_t known_until(uint64_t offset) const;

  // Bytes below `offset` have been given out.
  void make_final(uint64_t offset);
  // Nothing below `offset` is asked for again.
  void release(uint64_t offset);
  // What is missing up to `offset` will not come.
  void skip_to(uint64_t offset);

  [[nodiscard]] size_t kept_bytes() const;
  [[nodiscard]] uint16_t regions_max() const { return regions_max_; }

 private:
  struct Region {
    uint64_t begin = 0;  // offset of the first address
    uint32_t head = 0,
             size = 0;  // bytes [head, head + size) of the block stand for [begin, begin + size)
    BlockPool::Block block;
    [[nodiscard]] uint64_t end() const { return begin + size; }
    [[nodiscard]] uint8_t* at(uint64_t offset) const {
      return block.data + head + (offset - begin);
    }
  };
  struct Segment {
    uint64_t begin, end;
  };

  struct Store {
    BlockPool* pool = nullptr;
    absl::InlinedVector<Region, 1> regions;  // by begin, apart from each other
    absl::InlinedVector<Segment, 2>
        segments;                // from head on: by begin, those that end after final_
    std::vector<Segment> holes;  // given up, between released_ and contiguous_
    uint32_t head = 0;
    uint32_t longest_segment = 0;
    bool all_apart = false;  // coalesce() would find nothing

    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    ~Store();
    [[nodiscard]] std::span<const Segment> open_segments() const {
      return std::span(segments).subspan(head);
    }
  };

  Store& open_store(BlockPool* pool);  // null: without bytes of its own yet
  void drop_empty_store();
  [[nodiscard]] size_t first_overlapping(uint64_t begin) const;
  [[nodiscard]] bool append_in_order(uint64_t offset, Bytes data);
  [[nodiscard]] InsertStatus reserve(uint64_t begin, uint64_t end, uint8_t max_regions);
  [[nodiscard]] bool widen(Region& r, uint64_t begin, uint64_t end);
  void shrink(Region& r);
  [[nodiscard]] const Region* region_of(uint64_t offset) const;
  void compare_final(uint64_t offset, Bytes data, InsertResult& result) const;
  void write(uint64_t offset, Bytes data, OsPolicy policy, InsertResult& result,
             ConflictObserver* observer);
  void put(uint64_t offset, Bytes data);
  void remember(uint64_t begin, uint64_t end);
  [[nodiscard]] bool make_room(uint64_t offset);
  void coalesce();
  void advance_contiguous();

  uint64_t released_ = 0, final_ = 0, contiguous_ = 0, highest_ = 0;
  std::unique_ptr<Store> store_;  // null: no byte, segment or hole is known
  uint16_t regions_max_ = 0;
};

}  // namespace vong::reassembly
