#include "exporters/spool/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>

#include "exporters/spool/cursor.h"
#include "exporters/spool/directory.h"

namespace vong::spool {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(50);
constexpr Duration kLongestPause = std::chrono::seconds(1);
constexpr Duration kLookEvery = std::chrono::milliseconds(200);

}  // namespace

struct Writer::State {
  State(FileSystem& file_system, Options o) : fs(file_system), options(std::move(o)) {}
  ~State() {
    if (fd >= 0) fs.close(fd);
    if (lock_fd >= 0) fs.close(lock_fd);
  }

  FileSystem& fs;
  Options options;
  int lock_fd = -1;
  uint64_t id = 0;
  uint32_t seed = 0;
  Recovery recovery;
  WriterCounters counters;

  // The segment that is being written; -1 before the first group, after a failure and when it is
  // full.
  int fd = -1;
  uint64_t number = 0;        // of the newest segment
  uint64_t segment_size = 0;  // of the open one
  uint64_t closed_bytes = 0;  // of all others, when last looked
  bool directory_synced = false;

  // Everything since the last good fsync, as it goes to disk. Kept until then: after a failure it
  // is written again.
  std::string pending;
  uint64_t first_pending_seq = 1;
  uint64_t next_seq = 1;
  std::size_t written = 0;  // bytes of `pending` that are in the open segment
  std::atomic<uint64_t> durable{0};

  bool marked = true;  // a reader of another process can know that everything is durable

  std::string last_error;
  Timestamp retry_at{};
  Duration pause = kFirstPause;
  Timestamp looked_at{};

  [[nodiscard]] std::string path() const { return file(number); }
  [[nodiscard]] uint64_t used() const {
    return closed_bytes + segment_size + pending.size() - written;
  }

  [[nodiscard]] std::string file(uint64_t n) const {
    return options.directory + "/" + to_string(SegmentName{n, id});
  }
  [[nodiscard]] Result<> recover();
  void settle_numbers();
  void write_mark(Timestamp now);
  [[nodiscard]] Result<> open_segment(Timestamp now);
  [[nodiscard]] Result<> write_group(Timestamp now);
  void give_up_segment();
  void close_segment();
  void look(Timestamp now);
};

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::open(FileSystem& fs, const Options& options) {
  auto state = std::make_unique<State>(fs, options);
  state->options.segment_bytes = std::clamp<uint64_t>(
      options.segment_bytes, 4096, std::max<uint64_t>(4096, options.bytes_max / 4));
  const std::string& directory = options.directory;
  if (IoResult<> ok = fs.make_directory(directory); !ok)
    return fail(io_error(directory, ok.error()));
  const IoResult<int> lock = fs.lock(directory + "/append.lock");
  if (!lock) {
    return fail(lock.error() == EWOULDBLOCK
                    ? fmt::format("{}: another process writes to this spool", directory)
                    : io_error(directory + "/append.lock", lock.error()));
  }
  state->lock_fd = *lock;
  if (Result<> ok = state->recover(); !ok) return fail(ok.error().message);
  return Writer(std::move(state));
}

// Where the numbering stands, and what has to be written again: every record that is there and not
// proven to be durable.
Result<> Writer::State::recover() {
  const Result<std::optional<CursorSlot>> cursor = read_cursor(fs, options.directory);
  if (!cursor) return fail(cursor.error().message);
  if (*cursor) id = (*cursor)->spool_id;
  const Result<std::vector<uint64_t>> segments = list_segments(fs, options.directory, id);
  if (!segments) return fail(segments.error().message);
  if (id == 0) id = fs.random_id();
  seed = checksum_seed(id);
  recovery.segments = segments->size();
  number = segments->empty() ? 0 : segments->back();

  uint64_t proven = *cursor ? (*cursor)->acknowledged : 0;
  uint64_t last = proven;
  std::map<uint64_t, SegmentContent::Record> newest;  // of each seq the copy in the newest segment
  std::vector<SegmentContent> contents;               // what the records' views point into
  contents.reserve(segments->size());
  bool covered = false;  // what is older holds only what is proven
  for (auto it = segments->rbegin(); it != segments->rend(); ++it) {
    if (covered) {
      closed_bytes += segment_bytes(fs, file(*it));
      continue;
    }
    Result<SegmentContent> read = read_segment(fs, file(*it), id);
    if (!read) return fail(read.error().message);
    const SegmentContent& content = contents.emplace_back(std::move(*read));
    closed_bytes += content.bytes.size();
    (content.tail_is_torn ? recovery.torn_bytes : recovery.damaged_bytes) += content.tail_bytes;
    proven = std::max(proven, content.proven);
    last = std::max({last, proven, content.last_seq});
    for (const SegmentContent::Record& record : content.records)
      newest.emplace(record.header.seq, record);
    // A record here was taken after a sync of this same segment: what the process found when it
    // made the segment is in it.
    covered = content.header && content.proven_by_records >= content.header->first_seq;
  }
  newest.erase(newest.begin(), newest.upper_bound(proven));
  for (const auto& [seq, record] : newest) {
    append_record(pending, seed,
                  {.seq = seq,
                   .time_ns = record.header.time_ns,
                   .behind = static_cast<uint32_t>(seq - 1 - proven)},
                  record.payload);
  }
  // No seq that may have stood in the damaged bytes is given again.
  constexpr uint64_t kSmallestRecord = kRecordHeaderBytes + 1;
  last += (recovery.damaged_bytes + kSmallestRecord - 1) / kSmallestRecord;
  first_pending_seq = proven + 1;
  next_seq = last + 1;
  durable = proven;
  recovery.last_seq = last;
  recovery.unproven_records = newest.size();
  if (pending.empty()) settle_numbers();
  return {};
}

// Nothing waits: what comes next stands right behind what is durable, gaps of damaged records
// included.
void Writer::State::settle_numbers() {
  first_pending_seq = next_seq;
  durable.store(next_seq - 1, std::memory_order_release);
}

Result<> Writer::State::open_segment(Timestamp now) {
  ++number;
  const IoResult<int> created = fs.create(path());
  if (!created) {
    const std::string error = io_error(path(), created.error());
    if (created.error() != EEXIST) --number;
    return fail(error);
  }
  fd = *created;
  segment_size = 0;
  written = 0;
  directory_synced = false;
  const auto header = encode(SegmentHeader{id, number, first_pending_seq, to_ns(now)});
  const IoResult<std::size_t> n = fs.write(fd, header);
  if (n && *n == header.size()) {
    segment_size = header.size();
    counters.segments.add();
    return {};
  }
  const std::string error = io_error(path(), n ? ENOSPC : n.error());
  give_up_segment();
  return fail(error);
}

// The segment stays as it is, unless no record went into it. What is pending will be written again
// elsewhere.
void Writer::State::give_up_segment() {
  const bool empty = segment_size <= kSegmentHeaderBytes && written == 0;
  if (empty && fs.unlink(path())) segment_size = 0;
  close_segment();
}

void Writer::State::close_segment() {
  if (fd < 0) return;
  fs.close(fd);
  fd = -1;
  closed_bytes += segment_size;
  segment_size = 0;
  written = 0;
}

Result<> Writer::State::write_group(Timestamp now) {
  if (fd < 0) {
    if (Result<> ok = open_segment(now); !ok) return ok;
  }
  while (written < pending.size()) {
    const IoResult<std::size_t> n =
        fs.write(fd, as_bytes(std::string_view(pending).substr(written)));
    if (!n || *n == 0) {
      const std::string error = io_error(path(), n ? ENOSPC : n.error());
      give_up_segment();
      return fail(error);
    }
    written += *n;
    segment_size += *n;
  }
  if (IoResult<> ok = fs.sync(fd); !ok) {
    const std::string error = io_error(path(), ok.error());
    give_up_segment();
    return fail(error);
  }
  if (!directory_synced) {
    if (IoResult<> ok = fs.sync_directory(options.directory); !ok) {
      const std::string error = io_error(options.directory, ok.error());
      give_up_segment();
      return fail(error);
    }
    directory_synced = true;
  }
  return {};
}

std::expected<uint64_t, sink::DropReason> Writer::append(Bytes payload, Timestamp now) {
  State& s = *state_;
  assert(!payload.empty() && "a record without payload is a mark");
  if (payload.size() > kMaxPayloadBytes) return std::unexpected(sink::DropReason::kTooLarge);
  const std::size_t size = kRecordHeaderBytes + payload.size();
  if (s.used() + size + kSegmentHeaderBytes > s.options.bytes_max) {
    s.look(now);
    if (s.used() + size + kSegmentHeaderBytes > s.options.bytes_max)
      return std::unexpected(sink::DropReason::kFull);
  }
  if (s.pending.size() + size > kMaxPendingBytes)
    return std::unexpected(sink::DropReason::kDiskError);
  const uint64_t seq = s.next_seq++;
  const auto behind = static_cast<uint32_t>(seq - s.first_pending_seq);
  append_record(s.pending, s.seed, {.seq = seq, .time_ns = to_ns(now), .behind = behind}, payload);
  s.counters.pending_records.set(static_cast<int64_t>(s.next_seq - s.first_pending_seq));
  if (s.pending.size() >= s.options.group_bytes) {
    if (Result<> ok = sync(now); !ok)
      return seq;  // taken all the same: it is pending, and the caller's own sync says what is
                   // wrong
  }
  return seq;
}

Result<> Writer::sync(Timestamp now) {
  State& s = *state_;
  if (s.pending.empty()) {
    s.write_mark(now);
    return {};
  }
  if (!s.last_error.empty() && now < s.retry_at && s.retry_at - now <= kLongestPause)
    return fail(s.last_error);
  if (!s.last_error.empty()) s.counters.rewritten_records.add(s.next_seq - s.first_pending_seq);
  if (Result<> ok = s.write_group(now); !ok) {
    s.counters.failures.add();
    s.last_error = ok.error().message;
    s.retry_at = now + s.pause;
    s.pause = std::min(s.pause * 2, kLongestPause);
    return ok;
  }
  s.last_error.clear();
  s.pause = kFirstPause;
  s.pending.clear();
  s.written = 0;
  s.settle_numbers();
  s.marked = false;
  s.counters.syncs.add();
  s.counters.pending_records.set(0);
  if (s.segment_size >= s.options.segment_bytes) {
    s.write_mark(now);
    s.close_segment();
  }
  s.counters.bytes.set(static_cast<int64_t>(s.used()));
  return {};
}

// Says in the files that everything is durable, once after the last group. Not synced: it promises
// nothing that is not so already. A new segment says it by its header.
void Writer::State::write_mark(Timestamp now) {
  if (marked) return;
  if (fd < 0) {
    marked = open_segment(now).has_value();
    return;
  }
  std::string mark;
  append_record(mark, seed, {.seq = next_seq, .time_ns = to_ns(now)}, {});
  const IoResult<std::size_t> n = fs.write(fd, as_bytes(mark));
  segment_size += n.value_or(0);
  marked = n && *n == mark.size();
  if (!marked) give_up_segment();
}

// What the forwarder has deleted meanwhile is free again.
void Writer::State::look(Timestamp now) {
  if (now - looked_at < kLookEvery && now >= looked_at) return;
  looked_at = now;
  const Result<std::vector<uint64_t>> segments = list_segments(fs, options.directory, id);
  if (!segments) return;
  closed_bytes = 0;
  for (const uint64_t n : *segments) {
    if (fd < 0 || n != number) closed_bytes += segment_bytes(fs, file(n));
  }
  counters.bytes.set(static_cast<int64_t>(used()));
}

double Writer::fill(Timestamp now) {
  constexpr double kCloseEnoughToLook = 0.5;
  State& s = *state_;
  auto part = [&] {
    return static_cast<double>(s.used()) / static_cast<double>(s.options.bytes_max);
  };
  if (part() >= kCloseEnoughToLook) s.look(now);
  return part();
}

uint64_t Writer::last_seq() const { return state_->next_seq - 1; }
const std::atomic<uint64_t>& Writer::durable_seq() const { return state_->durable; }
bool Writer::has_pending() const { return !state_->pending.empty(); }
const Writer::Recovery& Writer::recovery() const { return state_->recovery; }
const WriterCounters& Writer::counters() const { return state_->counters; }
uint64_t Writer::spool_id() const { return state_->id; }

}  // namespace vong::spool
