// Appends records to a spool. One thread; one writer per directory (a second one is refused).
//
// append() takes a record into memory and gives it its seq; sync() makes everything taken durable
// with one write and one fsync. Only what a successful sync() has covered (durable_seq) is
// accepted: a crash before may lose it. Call sync() every few milliseconds, also when nothing came:
// the call after the last group writes the mark that a forwarder in another process waits for.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/counter.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "exporters/sink/sink.h"
#include "exporters/spool/file_system.h"
#include "exporters/spool/format.h"
#include "exporters/spool/limits.h"

namespace vong::spool {

struct WriterCounters {
  Counter syncs;
  Counter failures;  // groups that the disk did not take at the first try
  Counter rewritten_records;
  Counter segments;
  Gauge bytes;            // on disk, as far as the writer knows
  Gauge pending_records;  // taken, not yet durable
};

class Writer {
 public:
  struct Options {
    std::string directory;
    uint64_t bytes_max = kDefaultSpoolBytes;        // all segments together
    uint64_t segment_bytes = kDefaultSegmentBytes;  // at most a quarter of bytes_max is used
    std::size_t group_bytes = kDefaultGroupBytes;
  };
  // What was found at the start.
  struct Recovery {
    uint64_t last_seq = 0;
    std::size_t segments = 0;
    std::size_t unproven_records = 0;  // written again with the first sync()
    uint64_t torn_bytes =
        0;  // at the ends of segments: beginnings of records that were not finished
    uint64_t damaged_bytes =
        0;  // not even that: records were lost there, seqs are left out for them
  };

  // `fs` has to outlive the writer.
  [[nodiscard]] static Result<Writer> open(FileSystem& fs, const Options& options);
  Writer(Writer&&) noexcept;
  ~Writer();  // does not sync

  // Takes a record (not an empty one): its seq, or why not. Syncs by itself when a group is full.
  // `now` is stored with it.
  [[nodiscard]] std::expected<uint64_t, sink::DropReason> append(Bytes payload, Timestamp now);
  // After a failure the disk is not tried again before a pause that doubles up to a second; until
  // then the same error returns.
  [[nodiscard]] Result<> sync(Timestamp now);

  [[nodiscard]] uint64_t last_seq() const;  // taken
  // Durable. May be read by any thread as long as the writer lives: the reader of the same process
  // waits for it.
  [[nodiscard]] const std::atomic<uint64_t>& durable_seq() const;
  [[nodiscard]] bool has_pending() const;
  // The part of bytes_max that is used, 0 to 1. Looks at the directory when it has not for a while.
  [[nodiscard]] double fill(Timestamp now);
  [[nodiscard]] const Recovery& recovery() const;
  [[nodiscard]] const WriterCounters& counters() const;
  [[nodiscard]] uint64_t spool_id() const;

 private:
  struct State;
  explicit Writer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vong::spool
