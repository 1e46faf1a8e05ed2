#include "sensor/reassembly/stream_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace vong::reassembly {

StreamBuffer::Store::~Store() {
  for (Region& r : regions) pool->give_back(r.block);
}

StreamBuffer::Store& StreamBuffer::open_store(BlockPool* pool) {
  if (store_ == nullptr) store_ = std::make_unique<Store>();
  if (pool != nullptr) store_->pool = pool;
  return *store_;
}

void StreamBuffer::drop_empty_store() {
  if (store_ != nullptr && store_->regions.empty() && store_->open_segments().empty() &&
      store_->holes.empty())
    store_.reset();
}

// --- putting in

InsertResult StreamBuffer::insert(BlockPool& pool, uint64_t offset, Bytes data, OsPolicy policy,
                                  uint8_t max_regions, ConflictObserver* observer) {
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
    if (result.different && observer != nullptr) observer->on_conflict(*this, true);
    if (end <= final_) {
      result.status = InsertStatus::kNothingNew;
      return result;
    }
    data = data.subspan(final_ - offset);
    offset = final_;
  }
  if (data.empty()) return {InsertStatus::kNothingNew, false, false};
  if (open_store(&pool).open_segments().size() >= kMaxSegments && !make_room(offset)) {
    result.status = InsertStatus::kTooManySegments;
    return result;
  }
  result.status = reserve(offset, end, max_regions);
  if (result.status != InsertStatus::kOk) {
    drop_empty_store();
    return result;
  }
  write(offset, data, policy, result, observer);
  remember(offset, end);
  highest_ = std::max(highest_, end);
  advance_contiguous();
  return result;
}

// The common case: the next bytes, nothing beyond them, room in the block.
bool StreamBuffer::append_in_order(uint64_t offset, Bytes data) {
  if (store_ == nullptr || offset != contiguous_ || highest_ != contiguous_ ||
      store_->regions.size() != 1 || data.empty())
    return false;
  if (store_->open_segments().size() >= kMaxSegments) return false;
  Region& r = store_->regions[0];
  if (r.end() != offset || r.head + r.size + data.size() > r.block.size) return false;
  std::memcpy(r.block.data + r.head + r.size, data.data(), data.size());
  r.size += static_cast<uint32_t>(data.size());
  contiguous_ = highest_ = offset + data.size();
  store_->segments.push_back({offset, contiguous_});
  store_->longest_segment = std::max(store_->longest_segment, static_cast<uint32_t>(data.size()));
  return true;
}

// Makes the addresses [begin, end) part of one region.
InsertStatus StreamBuffer::reserve(uint64_t begin, uint64_t end, uint8_t max_regions) {
  auto& regions = store_->regions;
  BlockPool& pool = *store_->pool;
  size_t first = 0;
  while (first < regions.size() && regions[first].end() + kRegionGapBytes < begin) ++first;
  size_t last = first;
  while (last < regions.size() && regions[last].begin <= end + kRegionGapBytes) ++last;
  if (first == last) {
    if (regions.size() >= std::max<size_t>(max_regions, 1)) return InsertStatus::kTooManyRegions;
    Region r;
    r.begin = begin;
    r.block = pool.take(end - begin);
    if (r.block.data == nullptr) return InsertStatus::kNoMemory;
    r.size = static_cast<uint32_t>(end - begin);
    regions.insert(regions.begin() + static_cast<std::ptrdiff_t>(first), r);
    regions_max_ = std::max(regions_max_, static_cast<uint16_t>(regions.size()));
    return InsertStatus::kOk;
  }
  const uint64_t from = std::min(begin, regions[first].begin);
  const uint64_t to = std::max(end, regions[last - 1].end());
  if (!widen(regions[first], from, to)) return InsertStatus::kNoMemory;
  Region& all = regions[first];
  for (size_t i = first + 1; i < last; ++i) {  // met by the new bytes: they join
    const Region& r = regions[i];
    std::memcpy(all.at(r.begin), r.block.data + r.head, r.size);
    pool.give_back(r.block);
  }
  regions.erase(regions.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                regions.begin() + static_cast<std::ptrdiff_t>(last));
  return InsertStatus::kOk;
}

// r then spans [begin, end), which contains its old span. What grows towards the front gets room on
// both sides whenever it is moved, so that a stream that comes backwards costs a few copies a byte.
bool StreamBuffer::widen(Region& r, uint64_t begin, uint64_t end) {
  const uint64_t span = end - begin;
  const uint64_t before = r.begin - begin;
  if (before <= r.head && r.head - before + span <= r.block.size) {
    r.head -= static_cast<uint32_t>(before);
    r.begin = begin;
    r.size = static_cast<uint32_t>(span);
    return true;
  }
  const uint64_t with_room = before == 0 ? span : span + span / 2;
  BlockPool::Block block = r.block;
  if (with_room > block.size) {
    block = store_->pool->take(with_room);
    if (block.data == nullptr && span > r.block.size) block = store_->pool->take(span);
    if (block.data == nullptr && span > r.block.size) return false;
    if (block.data == nullptr) block = r.block;
  }
  const uint64_t head = before == 0 ? 0 : (block.size - span) / 2;
  std::memmove(block.data + head + before, r.block.data + r.head, r.size);
  if (block.data != r.block.data) {
    store_->pool->give_back(r.block);
    r.block = block;
  }
  r.head = static_cast<uint32_t>(head);
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
  const Store& st = *store_;
  const uint64_t from = begin > st.longest_segment ? begin - st.longest_segment : 0;
  const auto it = std::lower_bound(st.segments.begin() + st.head, st.segments.end(), from,
                                   [](const Segment& s, uint64_t b) { return s.begin < b; });
  return static_cast<size_t>(it - st.segments.begin());
}

// Each earlier segment says who wins where it overlaps the new one. A byte stays when any of them
// holds it.
void StreamBuffer::write(uint64_t offset, Bytes data, OsPolicy policy, InsertResult& result,
                         ConflictObserver* observer) {
  const uint64_t end = offset + data.size();
  bool different = false;
  const auto& segments = store_->segments;
  const size_t first = first_overlapping(offset);
  for (size_t i = first; i < segments.size() && segments[i].begin < end; ++i) {
    const uint64_t from = std::max({offset, segments[i].begin, final_});
    const uint64_t to = std::min(end, segments[i].end);
    if (from >= to) continue;
    result.overlap = true;
    const Bytes old = view(from, to);
    different |= std::memcmp(old.data(), data.data() + (from - offset), old.size()) != 0;
  }
  if (different && observer != nullptr) observer->on_conflict(*this, false);
  result.different |= different;
  uint64_t cursor = offset;
  if (result.overlap) {
    for (size_t i = first; i < segments.size() && segments[i].begin < end; ++i) {
      const Segment& s = segments[i];
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
  Store& st = *store_;
  const auto first = st.segments.begin() + st.head;
  const auto at = std::upper_bound(first, st.segments.end(), begin,
                                   [](uint64_t b, const Segment& s) { return b < s.begin; });
  for (auto same = at; same != first && (same - 1)->begin == begin; --same) {
    if ((same - 1)->end == end) return;
  }
  st.segments.insert(at, {begin, end});
  st.all_apart = false;
  st.longest_segment = std::max<uint32_t>(st.longest_segment, static_cast<uint32_t>(end - begin));
}

// Room for one more segment at `offset`. What fills the stream's front always finds room: the
// segment farthest ahead goes, and is missing later. Everything else must find it by joining
// neighbours.
bool StreamBuffer::make_room(uint64_t offset) {
  Store& st = *store_;
  if (!st.all_apart) coalesce();
  if (st.open_segments().size() < kMaxSegments) return true;
  st.all_apart = true;
  if (offset > contiguous_) return false;
  st.segments.pop_back();
  highest_ = contiguous_;
  for (const Segment& s : st.open_segments()) highest_ = std::max(highest_, s.end);
  return true;
}

// Too many: neighbours that touch become one. Policies lose those boundaries, nothing else.
void StreamBuffer::coalesce() {
  Store& st = *store_;
  size_t kept = st.head;
  for (size_t i = st.head + 1; i < st.segments.size(); ++i) {
    if (st.segments[i].begin <= st.segments[kept].end) {
      st.segments[kept].end = std::max(st.segments[kept].end, st.segments[i].end);
    } else {
      st.segments[++kept] = st.segments[i];
    }
  }
  st.segments.resize(kept + 1);
  for (const Segment& s : st.open_segments())
    st.longest_segment = std::max(st.longest_segment, static_cast<uint32_t>(s.end - s.begin));
}

void StreamBuffer::advance_contiguous() {
  if (store_ == nullptr) return;
  const Store& st = *store_;
  for (size_t i = first_overlapping(contiguous_);
       i < st.segments.size() && st.segments[i].begin <= contiguous_; ++i) {
    contiguous_ = std::max(contiguous_, st.segments[i].end);
  }
}

// --- looking

const StreamBuffer::Region* StreamBuffer::region_of(uint64_t offset) const {
  if (store_ == nullptr) return nullptr;
  for (const Region& r : store_->regions) {
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
  if (store_ == nullptr)
    return offset < contiguous_ ? offset : std::numeric_limits<uint64_t>::max();
  if (offset < contiguous_) {
    for (const Segment& hole : store_->holes) {
      if (offset >= hole.begin && offset < hole.end) offset = hole.end;
    }
    if (offset < contiguous_) return offset;
  }
  for (const Segment& s : store_->open_segments()) {
    if (s.end > offset) return std::max(offset, s.begin);
  }
  return std::numeric_limits<uint64_t>::max();
}

uint64_t StreamBuffer::known_until(uint64_t offset) const {
  if (offset >= contiguous_) return offset;
  if (store_ == nullptr) return contiguous_;
  for (const Segment& hole : store_->holes) {
    if (hole.end > offset) return std::max(offset, hole.begin);
  }
  return contiguous_;
}

size_t StreamBuffer::kept_bytes() const {
  size_t n = 0;
  if (store_ == nullptr) return n;
  for (const Region& r : store_->regions) n += r.block.size;
  return n;
}

// --- another one like it

bool StreamBuffer::copy(BlockPool& pool, const StreamBuffer& other, uint64_t from, bool reopen) {
  assert(from >= other.released_ && store_ == nullptr);
  released_ = from;
  final_ = reopen ? from : std::max(from, other.final_);
  contiguous_ = std::max(from, other.contiguous_);
  highest_ = std::max(from, other.highest_);
  if (other.store_ == nullptr) return true;
  const Store& theirs = *other.store_;
  Store& st = open_store(&pool);
  for (const Region& r : theirs.regions) {
    if (r.end() <= from) continue;
    Region mine;
    mine.begin = std::max(from, r.begin);
    mine.size = static_cast<uint32_t>(r.end() - mine.begin);
    mine.block = pool.take(mine.size);
    if (mine.block.data == nullptr) return false;
    std::memcpy(mine.block.data, r.at(mine.begin), mine.size);
    st.regions.push_back(mine);
  }
  // What was given out stands as one segment: where its segments met is forgotten.
  if (reopen && other.final_ > from) st.segments.push_back({from, other.final_});
  for (const Segment& s : theirs.open_segments()) st.segments.push_back(s);
  std::sort(st.segments.begin(), st.segments.end(),
            [](const Segment& a, const Segment& b) { return a.begin < b.begin; });
  for (const Segment& s : st.segments)
    st.longest_segment = std::max(st.longest_segment, static_cast<uint32_t>(s.end - s.begin));
  return true;
}

// --- letting go

void StreamBuffer::make_final(uint64_t offset) {
  assert(offset <= contiguous_);
  if (offset <= final_) return;
  final_ = offset;
  if (store_ == nullptr) return;
  auto& segments = store_->segments;
  uint32_t& head = store_->head;
  if (final_ >= highest_) {
    segments.clear();
    head = store_->longest_segment = 0;
    if (segments.capacity() > 64) segments.shrink_to_fit();
    return;
  }
  while (head < segments.size() && segments[head].end <= final_) ++head;
  if (head * 2 > segments.size() && head > 16) {
    segments.erase(segments.begin(), segments.begin() + head);
    head = 0;
  }
}

void StreamBuffer::shrink(Region& r) {
  if (r.block.size < kShrunkBlockBytes || r.size > r.block.size / 2) return;
  const BlockPool::Block smaller = store_->pool->take(r.size);
  if (smaller.data == nullptr) return;
  std::memcpy(smaller.data, r.block.data + r.head, r.size);
  store_->pool->give_back(r.block);
  r.block = smaller;
  r.head = 0;
}

void StreamBuffer::release(uint64_t offset) {
  if (offset <= released_) return;
  released_ = offset;
  if (store_ == nullptr) return;
  auto& regions = store_->regions;
  while (!regions.empty() && regions[0].begin < released_) {
    Region& r = regions[0];
    if (r.end() > released_) {
      const auto gone = static_cast<uint32_t>(released_ - r.begin);
      r.head += gone;
      r.size -= gone;
      r.begin = released_;
      shrink(r);
      break;
    }
    store_->pool->give_back(r.block);
    regions.erase(regions.begin());
  }
  std::erase_if(store_->holes, [this](const Segment& h) { return h.end <= released_; });
  drop_empty_store();
}

void StreamBuffer::skip_to(uint64_t offset) {
  if (offset <= contiguous_) return;
  auto& holes = open_store(nullptr).holes;
  if (!holes.empty() && holes.back().end == contiguous_) {
    holes.back().end = offset;
  } else {
    if (holes.size() >= kMaxHoles) {
      holes[1].begin = holes[0].begin;
      holes.erase(holes.begin());
    }
    holes.push_back({contiguous_, offset});
  }
  contiguous_ = offset;
  highest_ = std::max(highest_, offset);
  make_final(offset);
  advance_contiguous();
}

}  // namespace vong::reassembly
