// Reads a spool in order, from behind what was acknowledged, and deletes what has been. One thread;
// one reader per directory (a second one is refused).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/counter.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "exporters/spool/cursor.h"
#include "exporters/spool/file_system.h"

namespace vong::spool {

struct Entry {
  uint64_t seq = 0;
  Timestamp time;  // of the append
  Bytes payload;
};

struct ReaderCounters {
  Counter lost_records;       // seqs that are nowhere: their bytes were damaged. Each is a gap that
                              // receivers see, too
  Counter corrupt_records;    // record whole by its header, payload damaged
  Counter corrupt_bytes;      // skipped to the next valid header
  Counter torn_bytes;         // left by a crash at the end of a segment
  Counter rewritten_records;  // seen a second time after a failure of the disk, skipped
  Counter deleted_segments;
  Counter delete_failures;  // tried again later
  Counter damaged_cursors;  // a slot of the cursor was broken
  Counter read_failures;
};

class Reader {
 public:
  struct Options {
    std::string directory;
    // The writer's durable_seq when it is in this process; null: what the files prove.
    const std::atomic<uint64_t>* durable_seq = nullptr;
  };

  // Makes the directory when it is not there yet. `fs` has to outlive the reader.
  [[nodiscard]] static Result<Reader> open(FileSystem& fs, const Options& options);
  Reader(Reader&&) noexcept;
  ~Reader();

  // The next durable record; nothing when there is none at present. The payload lives until the
  // next call of next(), peek() or rewind(). An error is one of the disk: the same call later may
  // succeed.
  [[nodiscard]] Result<std::optional<Entry>> next();
  // The same without going on.
  [[nodiscard]] Result<std::optional<Entry>> peek();
  // Back to behind what is acknowledged: those records come again.
  [[nodiscard]] Result<> rewind();

  // The receiver has everything up to `seq` for good. Durable when it returns; deletes what both
  // slots of the cursor cover. Calling it again with the same seq lets the rest be deleted. `base`:
  // see format.h.
  [[nodiscard]] Result<> acknowledge(uint64_t seq, int64_t base);

  [[nodiscard]] uint64_t acknowledged() const;
  [[nodiscard]] int64_t base() const;
  [[nodiscard]] bool settled() const;       // both slots of the cursor say the same
  [[nodiscard]] uint64_t spool_id() const;  // 0 as long as there is no segment
  [[nodiscard]] uint64_t last_read_seq() const;
  [[nodiscard]] const ReaderCounters& counters() const;

 private:
  struct State;
  explicit Reader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vong::spool
