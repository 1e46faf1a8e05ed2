#include "correlator/ingest/order.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "correlator/ingest/limits.h"

namespace vong::ingest {
namespace {

constexpr size_t kRunsTried = 8;

}  // namespace

ChunkArena::Piece ChunkArena::add(std::string_view bytes) {
  if (current_ == kNone || chunks_[current_].size - chunks_[current_].used < bytes.size())
    next_chunk(bytes.size());
  Chunk& c = chunks_[current_];
  const Piece p{current_, static_cast<uint32_t>(c.used), static_cast<uint32_t>(bytes.size())};
  std::memcpy(c.bytes.get() + c.used, bytes.data(), bytes.size());
  c.used += bytes.size();
  ++c.live;
  return p;
}

// Chunks of the usual size are used again and again: asking the system for each would cost more
// than the facts.
void ChunkArena::next_chunk(size_t bytes) {
  if (current_ != kNone && chunks_[current_].live == 0) retire(current_);
  const size_t size = std::max(kChunkBytes, bytes);
  if (size == kChunkBytes && !spare_.empty()) {
    current_ = spare_.back();
    spare_.pop_back();
  } else {
    if (empty_.empty()) {
      chunks_.emplace_back();
      empty_.push_back(static_cast<uint32_t>(chunks_.size() - 1));
    }
    current_ = empty_.back();
    empty_.pop_back();
    chunks_[current_].bytes = std::make_unique_for_overwrite<char[]>(size);
    chunks_[current_].size = size;
  }
  chunks_[current_].used = chunks_[current_].live = 0;
  bytes_ += size;
}

void ChunkArena::retire(uint32_t index) {
  Chunk& c = chunks_[index];
  bytes_ -= c.size;
  if (c.size == kChunkBytes && spare_.size() < kSpareMax) {
    spare_.push_back(index);
    return;
  }
  c.bytes.reset();
  c.size = 0;
  empty_.push_back(index);
}

void ChunkArena::release(const Piece& p) {
  if (--chunks_[p.chunk].live == 0 && p.chunk != current_) retire(p.chunk);
}

void ChunkArena::clear() {
  chunks_.clear();
  spare_.clear();
  empty_.clear();
  current_ = kNone;
  bytes_ = 0;
}

bool ReorderBuffer::push(const OrderKey& key, std::string_view fact) {
  if (key < released_) return false;
  Entry e{key, arena_.add(fact)};
  if (run_.empty() || key >= run_.back().key) {
    run_.push_back(e);
    return true;
  }
  for (size_t i = 0; i < kRunsTried; ++i) {
    const size_t slot = (slot_of(key.sensor) + i) % runs_.size();
    std::deque<Entry>& run = runs_[slot];
    if (!run.empty() && key < run.back().key) continue;  // another sensor's, or not in order
    if (run.empty()) heads_.push({key, slot});
    run.push_back(e);
    ++in_runs_;
    return true;
  }
  others_.push(e);
  return true;
}

std::pair<const ReorderBuffer::Entry*, ReorderBuffer::Place> ReorderBuffer::first() const {
  std::pair<const Entry*, Place> best{run_.empty() ? nullptr : &run_.front(), Place::kRun};
  const auto offer = [&](const OrderKey& key, const Entry& entry, Place place) {
    if (best.first == nullptr || key < best.first->key) best = {&entry, place};
  };
  if (!heads_.empty()) offer(heads_.top().key, runs_[heads_.top().slot].front(), Place::kRuns);
  if (!others_.empty()) offer(others_.top().key, others_.top(), Place::kOthers);
  return best;
}

void ReorderBuffer::pop(Place place) {
  if (place == Place::kRun) return run_.pop_front();
  if (place == Place::kOthers) return others_.pop();
  const size_t slot = heads_.top().slot;
  heads_.pop();
  std::deque<Entry>& run = runs_[slot];
  run.pop_front();
  --in_runs_;
  if (!run.empty()) heads_.push({run.front().key, slot});
}

FactSorter::~FactSorter() {
  if (file_ != nullptr) std::fclose(file_);
}

Result<> FactSorter::add(const OrderKey& key, std::string_view fact) {
  entries_.push_back({key, arena_.add(fact)});
  if (arena_.bytes() + entries_.size() * sizeof(Entry) < run_bytes_) return {};
  sort_run();
  return spill();
}

void FactSorter::sort_run() {
  const auto less = [](const Entry& a, const Entry& b) { return a.key < b.key; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), less))
    std::stable_sort(entries_.begin(), entries_.end(), less);
}

// A run on disk: key, size, bytes; key, size, bytes; ...
Result<> FactSorter::spill() {
  if (file_ == nullptr) file_ = std::tmpfile();
  if (file_ == nullptr)
    return fail(std::string("temporary file for sorting: ") + std::strerror(errno));
  if (runs_.size() >= kSortRunsMax)
    return fail("input too large to be sorted (more than 512 runs)");
  std::fseek(file_, 0, SEEK_END);
  Run run{std::ftell(file_), 0};
  bool ok = true;
  for (const Entry& e : entries_) {
    const std::string_view fact = arena_.view(e.piece);
    ok &= std::fwrite(&e.key, sizeof e.key, 1, file_) == 1;
    ok &= std::fwrite(&e.piece.size, sizeof e.piece.size, 1, file_) == 1;
    ok &= fact.empty() || std::fwrite(fact.data(), fact.size(), 1, file_) == 1;
  }
  run.end = std::ftell(file_);
  if (!ok || std::fflush(file_) != 0)
    return fail(std::string("temporary file for sorting: ") + std::strerror(errno));
  runs_.push_back(run);
  entries_.clear();
  arena_.clear();
  return {};
}

Result<> FactSorter::merge(const std::function<void(const OrderKey&, std::string_view)>& f) {
  struct Cursor {
    long at, end;
    size_t index;
    std::string buffer;  // read ahead
    size_t used = 0;
    OrderKey key{};
    std::string fact;
  };
  const auto fill = [&](Cursor& c, size_t need) {
    if (c.buffer.size() - c.used >= need) return true;
    c.buffer.erase(0, c.used);
    c.used = 0;
    const size_t want = std::min<size_t>(std::max<size_t>(need, 64u << 10),
                                         static_cast<size_t>(c.end - c.at) + c.buffer.size());
    const size_t old = c.buffer.size();
    if (want <= old) return old >= need;
    c.buffer.resize(want);
    std::fseek(file_, c.at, SEEK_SET);
    const size_t n = std::fread(c.buffer.data() + old, 1, want - old, file_);
    c.at += static_cast<long>(n);
    c.buffer.resize(old + n);
    return c.buffer.size() >= need;
  };
  const auto advance = [&](Cursor& c) {
    uint32_t size = 0;
    if (!fill(c, sizeof(OrderKey) + sizeof size)) return false;
    std::memcpy(&c.key, c.buffer.data() + c.used, sizeof c.key);
    std::memcpy(&size, c.buffer.data() + c.used + sizeof c.key, sizeof size);
    c.used += sizeof c.key + sizeof size;
    if (!fill(c, size)) return false;
    c.fact.assign(c.buffer, c.used, size);
    c.used += size;
    return true;
  };
  std::vector<Cursor> cursors;
  for (const Run& r : runs_) cursors.push_back({r.begin, r.end, cursors.size(), {}, 0, {}, {}});
  const auto later = [&](size_t a, size_t b) {
    return std::tie(cursors[a].key, cursors[a].index) > std::tie(cursors[b].key, cursors[b].index);
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> heap(later);
  for (Cursor& c : cursors) {
    if (advance(c)) heap.push(c.index);
  }
  while (!heap.empty()) {
    const size_t i = heap.top();
    heap.pop();
    f(cursors[i].key, cursors[i].fact);
    if (advance(cursors[i])) heap.push(i);
  }
  if (std::ferror(file_) != 0) return fail("temporary file for sorting: read error");
  return {};
}

}  // namespace vong::ingest
