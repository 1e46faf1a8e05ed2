// The bytes of one datagram while its fragments come in, in any order and overlapping. Which
// fragment's bytes stay where two overlap is the policy's matter. State: at most 64 KB of pages and
// kMaxPieces pieces. Work of an insertion: linear in the fragment's length and, when it does not
// come last, in the number of pieces behind it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "sensor/reassembly/defrag_limits.h"
#include "sensor/reassembly/defrag_policy.h"

namespace vong::reassembly {

class FragmentBuffer {
 public:
  struct Outcome {
    bool accepted = true;     // false: no room for more pieces, nothing was changed
    bool overlap = false;     // some of its bytes were there already
    bool conflict = false;    // ... and differed
    bool owns_start = false;  // the datagram's first byte is this fragment's now
  };
  // begin + data.size() must be at most kMaxDatagramBytes.
  Outcome insert(DefragPolicy policy, uint32_t begin, Bytes data);

  [[nodiscard]] uint32_t end() const { return end_; }  // behind the last byte that any fragment had
  [[nodiscard]] bool has_gap() const { return covered_ != end_; }
  void copy_to(uint8_t* out) const;  // end() bytes; only without gap
  [[nodiscard]] bool overlaps(uint32_t begin, uint32_t end) const;
  // Calls add(begin, bytes) for each piece; while no fragments have overlapped these are the fragments.
  template <typename Add>
  void each_piece(Add add) const;
  void clear();
  [[nodiscard]] size_t memory_bytes() const {
    return page_count_ * kFragmentPageBytes + pieces_.capacity() * sizeof(Piece);
  }

 private:
  // Bytes [begin, end) of the datagram, owned by the fragment [owner_begin, owner_end). Sorted,
  // apart from each other.
  struct Piece {
    uint32_t begin, end, owner_begin, owner_end;
  };
  using Page = std::array<uint8_t, kFragmentPageBytes>;

  void write(uint32_t begin, Bytes data);
  [[nodiscard]] bool equals(uint32_t begin, Bytes data) const;

  std::array<std::unique_ptr<Page>, kMaxDatagramBytes / kFragmentPageBytes + 1> pages_;
  std::vector<Piece> pieces_, scratch_;
  size_t page_count_ = 0;
  uint32_t end_ = 0, covered_ = 0;
};

template <typename Add>
void FragmentBuffer::each_piece(Add add) const {
  std::vector<uint8_t> bytes;
  for (const Piece& p : pieces_) {
    bytes.clear();
    for (uint32_t at = p.begin; at < p.end;) {
      const uint32_t in_page = at % kFragmentPageBytes;
      const uint32_t n = std::min(p.end - at, kFragmentPageBytes - in_page);
      const uint8_t* from = pages_[at / kFragmentPageBytes]->data() + in_page;
      bytes.insert(bytes.end(), from, from + n);
      at += n;
    }
    add(p.begin, Bytes(bytes));
  }
}

}  // namespace vong::reassembly
