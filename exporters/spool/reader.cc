#include "exporters/spool/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "exporters/spool/directory.h"
#include "exporters/spool/format.h"
#include "exporters/spool/limits.h"

namespace vong::spool {
namespace {

// A segment that has been read to its end and waits to be acknowledged and deleted.
struct Passed {
  uint64_t number;
  uint64_t last_seq;  // highest seq in it and before
};

}  // namespace

struct Reader::State {
  State(FileSystem& file_system, Options o, Cursor c)
      : fs(file_system), options(std::move(o)), cursor(std::move(c)) {}
  ~State() {
    close_segment();
    if (lock_fd >= 0) fs.close(lock_fd);
  }

  FileSystem& fs;
  Options options;
  Cursor cursor;
  int lock_fd = -1;
  uint64_t id = 0;
  uint32_t seed = 0;
  ReaderCounters counters;

  // The segment that is being read.
  uint64_t number = 0;  // 0: none yet
  int fd = -1;
  bool newest = true;  // as far as we have looked
  bool header_read = false;
  std::vector<uint8_t> chunk;   // what one read brings
  std::vector<uint8_t> buffer;  // of the file, from buffer_at on
  uint64_t buffer_at = 0;
  std::size_t pos = 0;       // in the buffer: the next record
  std::size_t searched = 0;  // in the buffer: behind pos, no valid header before this
  std::size_t looked = 0;    // in the buffer: what headers before this prove is known

  uint64_t successor_first =
      UINT64_MAX;  // first seq of the next segment: from there on records are written again there
  uint64_t seen_seq = 0;  // highest seq in this segment and before, skipped ones too

  uint64_t proven = 0;       // every seq up to this is durable
  uint64_t last_seq = 0;     // handed out, or known as acknowledged
  uint64_t counted_seq = 0;  // gaps up to here are in the counters
  std::pair<uint64_t, uint64_t>
      counted_at;              // segment and offset up to where damage is in the counters
  std::vector<Passed> passed;  // in order
  std::optional<Entry> peeked;

  [[nodiscard]] std::string path(uint64_t n) const {
    return options.directory + "/" + to_string(SegmentName{n, id});
  }
  void close_segment() {
    if (fd >= 0) fs.close(fd);
    fd = -1;
    buffer.clear();
    buffer_at = 0;
    pos = 0;
    searched = 0;
    looked = 0;
    header_read = false;
  }

  [[nodiscard]] Result<bool> next_segment();
  [[nodiscard]] Result<bool> fill();
  [[nodiscard]] Result<bool> read_header();
  [[nodiscard]] Result<std::optional<Entry>> parse();
  [[nodiscard]] Result<bool> leave_or_wait();
  [[nodiscard]] Result<bool> look_for_successor();
  void look_ahead(uint64_t until);
  [[nodiscard]] Result<bool> is_decided(uint64_t seq);
  [[nodiscard]] bool fresh() const { return std::pair(number, buffer_at + pos) >= counted_at; }
  void mark() { counted_at = std::max(counted_at, std::pair(number, buffer_at + pos)); }
  void note(uint64_t seq);
  void delete_passed();
};

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Reader> Reader::open(FileSystem& fs, const Options& options) {
  if (IoResult<> ok = fs.make_directory(options.directory); !ok)
    return fail(io_error(options.directory, ok.error()));
  const IoResult<int> lock = fs.lock(options.directory + "/forward.lock");
  if (!lock) {
    return fail(lock.error() == EWOULDBLOCK
                    ? fmt::format("{}: another process forwards this spool", options.directory)
                    : io_error(options.directory + "/forward.lock", lock.error()));
  }
  Result<Cursor> cursor = Cursor::open(fs, options.directory);
  if (!cursor) {
    fs.close(*lock);
    return fail(cursor.error().message);
  }
  auto state = std::make_unique<State>(fs, options, std::move(*cursor));
  state->lock_fd = *lock;
  state->id = state->cursor.current().spool_id;
  state->seed = checksum_seed(state->id);
  state->last_seq = state->cursor.current().acknowledged;
  state->counted_seq = state->last_seq;
  state->proven = state->last_seq;
  if (state->cursor.damaged()) state->counters.damaged_cursors.add();
  return Reader(std::move(state));
}

// Opens the segment behind the current one; false when there is none.
Result<bool> Reader::State::next_segment() {
  const Result<std::vector<uint64_t>> all = list_segments(fs, options.directory, id);
  if (!all) return fail(all.error().message);
  const auto it = std::ranges::upper_bound(*all, number);
  if (it == all->end()) return false;
  const IoResult<int> opened = fs.open_read(path(*it));
  if (!opened) return fail(io_error(path(*it), opened.error()));
  close_segment();
  fd = *opened;
  number = *it;
  seed = checksum_seed(id);
  newest = true;
  successor_first = UINT64_MAX;
  const Result<bool> successor = look_for_successor();
  if (!successor) return fail(successor.error().message);
  return true;
}

// Whether a newer segment is there; from then on this one does not grow any more. One without a
// valid header does not count: it is being made, or was given up and lost its beginning in a power
// cut, and then the one behind it tells where rewriting began.
Result<bool> Reader::State::look_for_successor() {
  if (!newest) return true;
  const Result<std::vector<uint64_t>> all = list_segments(fs, options.directory, id);
  if (!all) return fail(all.error().message);
  for (auto it = std::ranges::upper_bound(*all, number); it != all->end(); ++it) {
    const auto header = read_segment_header(fs, path(*it));
    if (!header) return fail(header.error().message);
    if (!*header) continue;
    successor_first = (*header)->first_seq;
    proven = std::max(proven, successor_first - 1);
    newest = false;
    return true;
  }
  return false;
}

// Reads on behind the buffer; false at the file's end.
Result<bool> Reader::State::fill() {
  if (pos > 0) {
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(pos));
    buffer_at += pos;
    searched -= std::min(searched, pos);
    looked -= std::min(looked, pos);
    pos = 0;
  }
  const std::size_t old = buffer.size();
  chunk.resize(kReadChunkBytes);
  const IoResult<std::size_t> n = fs.read_at(fd, chunk, buffer_at + old);
  if (!n) return fail(io_error(path(number), n.error()));
  if (*n == 0) return false;
  buffer.insert(buffer.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*n));
  return true;
}

// At the end of what is there: true when there is more now, in this segment or a newer one; false
// when there is only waiting.
Result<bool> Reader::State::leave_or_wait() {
  if (newest) {
    const Result<bool> successor = look_for_successor();
    if (!successor) return successor;
    if (!*successor) {
      // A segment without a record may be given up and its file be gone: look at it afresh the next
      // time.
      if (buffer_at + buffer.size() <= kSegmentHeaderBytes) {
        close_segment();
        --number;
      }
      return false;
    }
    // It may have grown once more before it was left.
    const Result<bool> more = fill();
    if (!more || *more) return more;
  }
  const Passed left{number, std::max(seen_seq, last_seq)};
  if (fresh()) counters.torn_bytes.add(buffer.size() - pos);
  pos = buffer.size();
  mark();
  Result<bool> opened = next_segment();
  if (!opened) return opened;
  if (!*opened) {  // the newer one was given up again
    newest = true;
    successor_first = UINT64_MAX;
    return false;
  }
  passed.push_back(left);
  return true;
}

// Looks through the headers behind pos, each once, for what they prove.
void Reader::State::look_ahead(uint64_t until) {
  looked = std::max(looked, pos);
  while (proven < until && looked < buffer.size()) {
    const Bytes rest = Bytes(buffer).subspan(looked);
    const std::optional<RecordHeader> header = decode_record_header(rest, seed);
    if (!header) {
      const std::size_t found = find_record(rest, 1, seed);
      if (found == rest.size()) return;
      looked += found;
      continue;
    }
    proven = std::max(proven, header->proves());
    if (rest.size() < kRecordHeaderBytes + header->size) return;
    looked += kRecordHeaderBytes + header->size;
  }
}

// Whether the record with that seq at pos may be handed out, or skipped because it is written again
// behind this segment.
Result<bool> Reader::State::is_decided(uint64_t seq) {
  const std::atomic<uint64_t>* writer = options.durable_seq;
  if (writer != nullptr) proven = std::max(proven, writer->load(std::memory_order_acquire));
  if (seq > proven && writer == nullptr) {
    look_ahead(seq);
    while (seq > proven) {
      const Result<bool> more = fill();
      if (!more) return more;
      if (!*more) break;
      look_ahead(seq);
    }
  }
  // Behind a gap: the missing ones may have been written again in a segment that has come since.
  if (seq <= proven && seq <= last_seq + 1) return true;
  const Result<bool> successor = look_for_successor();
  if (!successor) return successor;
  return seq <= proven || *successor;
}

Result<bool> Reader::State::read_header() {
  while (buffer.size() < kSegmentHeaderBytes) {
    const Result<bool> more = fill();
    if (!more) return more;
    if (!*more) return leave_or_wait();
  }
  if (const std::optional<SegmentHeader> header = decode_segment_header(buffer)) {
    // Without a cursor the oldest segment is where the spool begins.
    if (cursor.current().generation == 0 && last_seq == 0 && passed.empty())
      last_seq = counted_seq = header->first_seq - 1;
  } else if (fresh()) {
    counters.corrupt_bytes.add(kSegmentHeaderBytes);
  }
  header_read = true;
  pos = kSegmentHeaderBytes;
  searched = pos;
  mark();
  return true;
}

// Keeps the books of one seq that is handed out: what is missing before it.
void Reader::State::note(uint64_t seq) {
  if (seq > counted_seq) {
    counters.lost_records.add(seq - counted_seq - 1);
    counted_seq = seq;
  }
  last_seq = seq;
}

// The next record behind pos that is new and durable.
Result<std::optional<Entry>> Reader::State::parse() {
  for (;;) {
    if (fd < 0) {
      const Result<bool> opened = next_segment();
      if (!opened) return fail(opened.error().message);
      if (!*opened) return std::nullopt;
    }
    if (!header_read) {
      const Result<bool> ok = read_header();
      if (!ok) return fail(ok.error().message);
      if (!*ok) return std::nullopt;
      continue;
    }
    const Bytes rest = Bytes(buffer).subspan(pos);
    const std::optional<RecordHeader> header = decode_record_header(rest, seed);
    if (!header && rest.size() >= kRecordHeaderBytes) {
      const std::size_t from = std::max<std::size_t>(1, searched > pos ? searched - pos : 1);
      const std::size_t found = find_record(rest, from, seed);
      if (found < rest.size()) {
        if (fresh()) counters.corrupt_bytes.add(found);
        pos += found;
        mark();
        continue;
      }
      searched = pos + rest.size() - kRecordHeaderBytes + 1;
    }
    if (!header || rest.size() < kRecordHeaderBytes + header->size) {
      Result<bool> more = fill();
      if (more && !*more) more = leave_or_wait();
      if (!more) return fail(more.error().message);
      if (!*more) return std::nullopt;
      continue;
    }
    const bool is_mark = header->size == 0;
    if (!is_mark && header->seq > last_seq && header->seq < successor_first) {
      const Result<bool> decided = is_decided(header->seq);  // may move the buffer
      if (!decided) return fail(decided.error().message);
      if (!*decided) return std::nullopt;
    }
    const Bytes payload = Bytes(buffer).subspan(pos + kRecordHeaderBytes, header->size);
    const bool counting = fresh();
    pos += kRecordHeaderBytes + header->size;
    mark();
    proven = std::max(proven, header->proves());
    if (is_mark) continue;
    seen_seq = std::max(seen_seq, header->seq);
    if (!payload_is_whole(*header, payload, seed)) {
      if (counting) counters.corrupt_records.add();
      continue;
    }
    if (header->seq <= last_seq || header->seq >= successor_first) {
      if (counting && header->seq > cursor.current().acknowledged) counters.rewritten_records.add();
      continue;
    }
    note(header->seq);
    return Entry{header->seq, timestamp_from_ns(header->time_ns), payload};
  }
}

Result<std::optional<Entry>> Reader::peek() {
  if (!state_->peeked) {
    Result<std::optional<Entry>> entry = state_->parse();
    if (!entry) {
      state_->counters.read_failures.add();
      return entry;
    }
    state_->peeked = *entry;
  }
  return state_->peeked;
}

Result<std::optional<Entry>> Reader::next() {
  Result<std::optional<Entry>> entry = peek();
  state_->peeked.reset();
  return entry;
}

Result<> Reader::rewind() {
  State& s = *state_;
  s.close_segment();
  s.number = 0;
  s.newest = true;
  s.passed.clear();
  s.peeked.reset();
  s.last_seq = s.cursor.current().acknowledged;
  s.seen_seq = 0;
  return {};
}

Result<> Reader::acknowledge(uint64_t seq, int64_t base) {
  State& s = *state_;
  const CursorSlot& now = s.cursor.current();
  if (seq < now.acknowledged)
    return fail(fmt::format("{}: seq {} is acknowledged already", s.options.directory, seq));
  const bool same = seq == now.acknowledged && base == now.base && s.cursor.settled() == seq;
  if (!same || now.generation == 0) {
    if (Result<> ok = s.cursor.save(s.id, seq, base); !ok) return ok;
  }
  s.delete_passed();
  return {};
}

void Reader::State::delete_passed() {
  const uint64_t settled = cursor.settled();
  auto it = passed.begin();
  for (; it != passed.end() && it->last_seq <= settled; ++it) {
    if (const IoResult<> ok = fs.unlink(path(it->number)); !ok && ok.error() != ENOENT) {
      counters.delete_failures.add();
      break;
    }
    counters.deleted_segments.add();
  }
  passed.erase(passed.begin(), it);
}

uint64_t Reader::acknowledged() const { return state_->cursor.current().acknowledged; }
int64_t Reader::base() const { return state_->cursor.current().base; }
bool Reader::settled() const { return state_->cursor.settled() == acknowledged(); }
uint64_t Reader::spool_id() const { return state_->id; }
uint64_t Reader::last_read_seq() const { return state_->last_seq; }
const ReaderCounters& Reader::counters() const { return state_->counters; }

}  // namespace vong::spool
