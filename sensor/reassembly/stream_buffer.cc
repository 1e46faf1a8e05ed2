#include "sensor/reassembly/stream_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace vong::reassembly {

StreamBuffer::~StreamBuffer() {
  for (Region& r : regions_) pool_->give_back(r.block);
}

void StreamBuffer::swap(StreamBuffer& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(released_, other.released_);
  std::swap(final_, other.final_);
  std::swap(contiguous_, other.contiguous_);
  std::swap(highest_, other.highest_);
  std::swap(regions_, other.regions_);
  std::swap(segments_, other.segments_);
  std::swap(holes_, other.holes_);
  std::swap(segments_head_, other.segments_head_);
  std::swap(longest_segment_, other.longest_segment_);
  std::swap(regions_max_, other.regions_max_);
  std::swap(all_apart_, other.all_apart_);
}

// --- putting in

InsertResult StreamBuffer::insert(BlockPool& pool, uint64_t offset, Bytes data, OsPolicy policy,
                                  uint8_t max_regions) {
  pool_ = &pool;
  InsertResult result;
  if (append_in_order(offset, data)) return result;
  uint64_t end = offset + data.size();
  if (offset < released_) {  // what came before is gone: nothing to compare with
    if (end <= released_) return {InsertStatus::kNothingNew, true, false};
    result.overlap = true;
    data = data.subspan(released_ - offset);
    offset = released_;
  }
  if (offset < final_) {
    const uint64_t known_end = std::min(end, final_);
    compare_final(offset, data.first(known_end - offset), result);
    if (end <= final_) {
      result.status = InsertStatus::kNothingNew;
      return result;
    }
    data = data.subspan(final_ - offset);
    offset = final_;
  }
  if (data.empty()) return {InsertStatus::kNothingNew, false, false};
  if (segments_.size() - segments_head_ >= kMaxSegments && !make_room(offset)) {
    result.status = InsertStatus::kTooManySegments;
    return result;
  }
  result.status = reserve(offset, end, max_regions);
  if (result.status != InsertStatus::kOk) return result;
  write(offset, data, policy, result);
  remember(offset, end);
  highest_ = std::max(highest_, end);
  advance_contiguous();
  return result;
}

// The common case: the next bytes, nothing beyond them, room in the block.
bool StreamBuffer::append_in_order(uint64_t offset, Bytes data) {
  if (offset != contiguous_ || highest_ != contiguous_ || regions_.size() != 1 || data.empty())
    return false;
  if (segments_.size() - segments_head_ >= kMaxSegments) return false;
  Region& r = regions_[0];
  if (r.end() != offset || r.head + r.size + data.size() > r.block.size) return false;
  std::memcpy(r.block.data + r.head + r.size, data.data(), data.size());
  r.size += static_cast<uint32_t>(data.size());
  contiguous_ = highest_ = offset + data.size();
  segments_.push_back({offset, contiguous_});
  longest_segment_ = std::max(longest_segment_, static_cast<uint32_t>(data.size()));
  return true;
}

// Makes the addresses [begin, end) part of one region.
InsertStatus StreamBuffer::reserve(uint64_t begin, uint64_t end, uint8_t max_regions) {
  size_t first = 0;
  while (first < regions_.size() && regions_[first].end() + kRegionGapBytes < begin) ++first;
  size_t last = first;
  while (last < regions_.size() && regions_[last].begin <= end + kRegionGapBytes) ++last;
  if (first == last) {
    if (regions_.size() >= std::max<size_t>(max_regions, 1)) return InsertStatus::kTooManyRegions;
    Region r;
    r.begin = begin;
    r.block = pool_->take(end - begin);
    if (r.block.data == nullptr) return InsertStatus::kNoMemory;
    r.size = static_cast<uint32_t>(end - begin);
    regions_.insert(regions_.begin() + static_cast<std::ptrdiff_t>(first), r);
    regions_max_ = std::max(regions_max_, static_cast<uint16_t>(regions_.size()));
    return InsertStatus::kOk;
  }
  const uint64_t from = std::min(begin, regions_[first].begin);
  const uint64_t to = std::max(end, regions_[last - 1].end());
  if (!widen(regions_[first], from, to)) return InsertStatus::kNoMemory;
  Region& all = regions_[first];
  for (size_t i = first + 1; i < last; ++i) {  // met by the new bytes: they join
    const Region& r = regions_[i];
    std::memcpy(all.at(r.begin), r.block.data + r.head, r.size);
    pool_->give_back(r.block);
  }
  regions_.erase(regions_.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                 regions_.begin() + static_cast<std::ptrdiff_t>(last));
  return InsertStatus::kOk;
}

// r then spans [begin, end), which contains its old span.
bool StreamBuffer::widen(Region& r, uint64_t begin, uint64_t end) {
  const uint64_t span = end - begin;
  const uint64_t before = r.begin - begin;
  if (before == 0 && r.head + span <= r.block.size) {
    r.size = static_cast<uint32_t>(span);
    return true;
  }
  if (span <= r.block.size) {
    std::memmove(r.block.data + before, r.block.data + r.head, r.size);
  } else {
    const BlockPool::Block larger = pool_->take(span);
    if (larger.data == nullptr) return false;
    std::memcpy(larger.data + before, r.block.data + r.head, r.size);
    pool_->give_back(r.block);
    r.block = larger;
  }
  r.head = 0;
  r.begin = begin;
  r.size = static_cast<uint32_t>(span);
  return true;
}

// Bytes that were given out already: only whether the new ones differ.
void StreamBuffer::compare_final(uint64_t offset, Bytes data, InsertResult& result) const {
  while (!data.empty()) {
    const uint64_t known_end = std::min<uint64_t>(known_until(offset), offset + data.size());
    if (known_end <= offset) {
      const uint64_t next = next_known(offset);
      if (next >= offset + data.size()) return;
      data = data.subspan(next - offset);
      offset = next;
      continue;
    }
    const Bytes old = view(offset, known_end);
    if (old.empty()) return;
    result.overlap = true;
    result.different |= std::memcmp(old.data(), data.data(), old.size()) != 0;
    data = data.subspan(old.size());
    offset += old.size();
  }
}

size_t StreamBuffer::first_overlapping(uint64_t begin) const {
  const uint64_t from = begin > longest_segment_ ? begin - longest_segment_ : 0;
  const auto it = std::lower_bound(segments_.begin() + segments_head_, segments_.end(), from,
                                   [](const Segment& s, uint64_t b) { return s.begin < b; });
  return static_cast<size_t>(it - segments_.begin());
}

// Each earlier segment says who wins where it overlaps the new one. A byte stays when any of them
// holds it.
void StreamBuffer::write(uint64_t offset, Bytes data, OsPolicy policy, InsertResult& result) {
  const uint64_t end = offset + data.size();
  const size_t first = first_overlapping(offset);
  for (size_t i = first; i < segments_.size() && segments_[i].begin < end; ++i) {
    const uint64_t from = std::max({offset, segments_[i].begin, final_});
    const uint64_t to = std::min(end, segments_[i].end);
    if (from >= to) continue;
    result.overlap = true;
    const Bytes old = view(from, to);
    result.different |= std::memcmp(old.data(), data.data() + (from - offset), old.size()) != 0;
  }
  uint64_t cursor = offset;
  if (result.overlap) {
    for (size_t i = first; i < segments_.size() && segments_[i].begin < end; ++i) {
      const Segment& s = segments_[i];
      if (s.end <= offset || new_segment_wins(policy, offset, end, s.begin, s.end)) continue;
      if (s.begin > cursor) put(cursor, data.subspan(cursor - offset, s.begin - cursor));
      cursor = std::max(cursor, std::min(s.end, end));
    }
  }
  put(cursor, data.subspan(cursor - offset));
}

void StreamBuffer::put(uint64_t offset, Bytes data) {
  if (data.empty()) return;
  const Region* r = region_of(offset);
  assert(r != nullptr && offset + data.size() <= r->end());
  std::memcpy(r->at(offset), data.data(), data.size());
}

void StreamBuffer::remember(uint64_t begin, uint64_t end) {
  const auto at = std::upper_bound(segments_.begin() + segments_head_, segments_.end(), begin,
                                   [](uint64_t b, const Segment& s) { return b < s.begin; });
  for (auto same = at; same != segments_.begin() + segments_head_ && (same - 1)->begin == begin;
       --same) {
    if ((same - 1)->end == end) return;
  }
  segments_.insert(at, {begin, end});
  all_apart_ = false;
  longest_segment_ = std::max<uint32_t>(longest_segment_, static_cast<uint32_t>(end - begin));
}

// Room for one more segment at `offset`. What fills the stream's front always finds room: the
// segment farthest ahead goes, and is missing later. Everything else must find it by joining
// neighbours.
bool StreamBuffer::make_room(uint64_t offset) {
  if (!all_apart_) coalesce();
  if (segments_.size() - segments_head_ < kMaxSegments) return true;
  all_apart_ = true;
  if (offset > contiguous_) return false;
  segments_.pop_back();
  highest_ = contiguous_;
  for (size_t i = segments_head_; i < segments_.size(); ++i) {
    highest_ = std::max(highest_, segments_[i].end);
  }
  return true;
}

// Too many: neighbours that touch become one. Policies lose those boundaries, nothing else.
void StreamBuffer::coalesce() {
  size_t kept = segments_head_;
  for (size_t i = segments_head_ + 1; i < segments_.size(); ++i) {
    if (segments_[i].begin <= segments_[kept].end) {
      segments_[kept].end = std::max(segments_[kept].end, segments_[i].end);
    } else {
      segments_[++kept] = segments_[i];
    }
  }
  segments_.resize(kept + 1);
  for (size_t i = segments_head_; i < segments_.size(); ++i) {
    longest_segment_ = std::max<uint32_t>(
        longest_segment_, static_cast<uint32_t>(segments_[i].end - segments_[i].begin));
  }
}

void StreamBuffer::advance_contiguous() {
  for (size_t i = first_overlapping(contiguous_);
       i < segments_.size() && segments_[i].begin <= contiguous_; ++i) {
    contiguous_ = std::max(contiguous_, segments_[i].end);
  }
}

// --- looking

const StreamBuffer::Region* StreamBuffer::region_of(uint64_t offset) const {
  for (const Region& r : regions_) {
    if (offset >= r.begin && offset < r.end()) return &r;
  }
  return nullptr;
}

Bytes StreamBuffer::view(uint64_t from, uint64_t to) const {
  const Region* r = region_of(from);
  if (r == nullptr || to <= from) return {};
  return {r->at(from), static_cast<size_t>(std::min(to, r->end()) - from)};
}

uint64_t StreamBuffer::next_known(uint64_t offset) const {
  if (offset < contiguous_) {
    for (const Segment& hole : holes_) {
      if (offset >= hole.begin && offset < hole.end) offset = hole.end;
    }
    if (offset < contiguous_) return offset;
  }
  for (size_t i = segments_head_; i < segments_.size(); ++i) {
    if (segments_[i].end > offset) return std::max(offset, segments_[i].begin);
  }
  return std::numeric_limits<uint64_t>::max();
}

uint64_t StreamBuffer::known_until(uint64_t offset) const {
  if (offset >= contiguous_) return offset;
  for (const Segment& hole : holes_) {
    if (hole.end > offset) return std::max(offset, hole.begin);
  }
  return contiguous_;
}

size_t StreamBuffer::kept_bytes() const {
  size_t n = 0;
  for (const Region& r : regions_) n += r.block.size;
  return n;
}

// --- letting go

void StreamBuffer::make_final(uint64_t offset) {
  assert(offset <= contiguous_);
  if (offset <= final_) return;
  final_ = offset;
  if (final_ >= highest_) {
    segments_.clear();
    segments_head_ = longest_segment_ = 0;
    if (segments_.capacity() > 64) segments_.shrink_to_fit();
    return;
  }
  while (segments_head_ < segments_.size() && segments_[segments_head_].end <= final_)
    ++segments_head_;
  if (segments_head_ * 2 > segments_.size() && segments_head_ > 16) {
    segments_.erase(segments_.begin(), segments_.begin() + segments_head_);
    segments_head_ = 0;
  }
}

void StreamBuffer::shrink(Region& r) {
  if (r.block.size < kShrunkBlockBytes || r.size > r.block.size / 4) return;
  const BlockPool::Block smaller = pool_->take(r.size);
  if (smaller.data == nullptr) return;
  std::memcpy(smaller.data, r.block.data + r.head, r.size);
  pool_->give_back(r.block);
  r.block = smaller;
  r.head = 0;
}

void StreamBuffer::release(uint64_t offset) {
  if (offset <= released_) return;
  released_ = offset;
  while (!regions_.empty() && regions_[0].begin < released_) {
    Region& r = regions_[0];
    if (r.end() > released_) {
      const auto gone = static_cast<uint32_t>(released_ - r.begin);
      r.head += gone;
      r.size -= gone;
      r.begin = released_;
      shrink(r);
      break;
    }
    pool_->give_back(r.block);
    regions_.erase(regions_.begin());
  }
  if (!holes_.empty()) {
    std::erase_if(holes_, [this](const Segment& h) { return h.end <= released_; });
  }
}

void StreamBuffer::skip_to(uint64_t offset) {
  if (offset <= contiguous_) return;
  if (!holes_.empty() && holes_.back().end == contiguous_) {
    holes_.back().end = offset;
  } else {
    if (holes_.size() >= kMaxHoles) {
      holes_[1].begin = holes_[0].begin;
      holes_.erase(holes_.begin());
    }
    holes_.push_back({contiguous_, offset});
  }
  contiguous_ = offset;
  highest_ = std::max(highest_, offset);
  make_final(offset);
  advance_contiguous();
}

}  // namespace vong::reassembly
