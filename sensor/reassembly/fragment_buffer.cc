#include "sensor/reassembly/fragment_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace vong::reassembly {

void FragmentBuffer::write(uint32_t begin, Bytes data) {
  while (!data.empty()) {
    auto& page = pages_[begin / kFragmentPageBytes];
    if (!page) {
      page = std::make_unique<Page>();
      ++page_count_;
    }
    const uint32_t at = begin % kFragmentPageBytes;
    const size_t n = std::min<size_t>(data.size(), kFragmentPageBytes - at);
    std::memcpy(page->data() + at, data.data(), n);
    data = data.subspan(n);
    begin += static_cast<uint32_t>(n);
  }
}

bool FragmentBuffer::equals(uint32_t begin, Bytes data) const {
  while (!data.empty()) {
    const uint32_t at = begin % kFragmentPageBytes;
    const size_t n = std::min<size_t>(data.size(), kFragmentPageBytes - at);
    if (std::memcmp(pages_[begin / kFragmentPageBytes]->data() + at, data.data(), n) != 0)
      return false;
    data = data.subspan(n);
    begin += static_cast<uint32_t>(n);
  }
  return true;
}

FragmentBuffer::Outcome FragmentBuffer::insert(DefragPolicy policy, uint32_t begin, Bytes data) {
  const auto end = static_cast<uint32_t>(begin + data.size());
  assert(end <= kMaxDatagramBytes);
  Outcome outcome;
  if (data.empty()) return outcome;
  if (pieces_.size() + 2 > kMaxPieces) {
    outcome.accepted = false;
    return outcome;
  }
  const auto part = [&](uint32_t from, uint32_t to) {
    return data.subspan(from - begin, to - from);
  };
  // Pieces that overlap the new fragment: [first, last).
  const auto first = std::partition_point(pieces_.begin(), pieces_.end(),
                                          [&](const Piece& p) { return p.end <= begin; });
  auto last = first;
  scratch_.clear();
  uint32_t at = begin;  // up to here everything is decided
  const auto take = [&](uint32_t from, uint32_t to) {
    if (from >= to) return;
    write(from, part(from, to));
    if (!scratch_.empty() && scratch_.back().end == from && scratch_.back().owner_begin == begin &&
        scratch_.back().owner_end == end) {
      scratch_.back().end = to;  // goes on with its own bytes
    } else {
      scratch_.push_back({from, to, begin, end});
    }
    if (from == 0) outcome.owns_start = true;
  };
  for (; last != pieces_.end() && last->begin < end; ++last) {
    const Piece old = *last;
    const uint32_t from = std::max(old.begin, begin), to = std::min(old.end, end);
    if (at < from) {
      covered_ += from - at;
      take(at, from);
    }
    outcome.overlap = true;
    if (!equals(from, part(from, to))) outcome.conflict = true;
    if (new_fragment_wins(policy, begin, end, old.owner_begin, old.owner_end)) {
      if (old.begin < from) scratch_.push_back({old.begin, from, old.owner_begin, old.owner_end});
      take(from, to);
      if (to < old.end) scratch_.push_back({to, old.end, old.owner_begin, old.owner_end});
    } else {
      scratch_.push_back(old);
    }
    at = to;
  }
  if (at < end) {
    covered_ += end - at;
    take(at, end);
  }
  // Exchange [first, last) for what came out.
  const auto old_count = static_cast<size_t>(last - first), new_count = scratch_.size();
  const size_t common = std::min(old_count, new_count);
  const auto rest = std::copy_n(scratch_.begin(), common, first);
  if (new_count > old_count) {
    pieces_.insert(rest, scratch_.begin() + static_cast<std::ptrdiff_t>(common), scratch_.end());
  } else {
    pieces_.erase(rest, last);
  }
  end_ = std::max(end_, end);
  return outcome;
}

bool FragmentBuffer::overlaps(uint32_t begin, uint32_t end) const {
  if (begin >= end || begin >= end_) return false;
  const auto first = std::partition_point(pieces_.begin(), pieces_.end(), [&](const Piece& p) { return p.end <= begin; });
  return first != pieces_.end() && first->begin < end;
}

void FragmentBuffer::copy_to(uint8_t* out) const {
  assert(!has_gap());
  for (uint32_t at = 0; at < end_; at += kFragmentPageBytes) {
    std::memcpy(out + at, pages_[at / kFragmentPageBytes]->data(),
                std::min(kFragmentPageBytes, end_ - at));
  }
}

void FragmentBuffer::clear() {
  for (auto& page : pages_) page.reset();
  pieces_ = {};
  scratch_ = {};
  page_count_ = 0;
  end_ = covered_ = 0;
}

}  // namespace vong::reassembly
