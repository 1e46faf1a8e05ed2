// Looking at a spool's directory: which segments there are, what their headers say, where the
// numbering stands. Shared by writer and reader; not part of the room's interface.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "exporters/spool/file_system.h"
#include "exporters/spool/format.h"

namespace vong::spool {

// The numbers of all segments, rising. `id`: the spool's; 0 takes it from the names. Segments of
// another spool are an error.
[[nodiscard]] Result<std::vector<uint64_t>> list_segments(FileSystem& fs,
                                                          const std::string& directory,
                                                          uint64_t& id);

// Nothing when the header is damaged or the segment is gone.
[[nodiscard]] Result<std::optional<SegmentHeader>> read_segment_header(FileSystem& fs,
                                                                       const std::string& path);

[[nodiscard]] uint64_t segment_bytes(FileSystem& fs, const std::string& path);  // 0 when it is gone

// What is in one segment.
struct SegmentContent {
  struct Record {
    RecordHeader header;
    Bytes payload;  // into `bytes`; checked
  };
  std::vector<uint8_t> bytes;
  std::optional<SegmentHeader> header;
  std::vector<Record> records;  // whole ones, in the order of the file; no marks
  uint64_t last_seq =
      0;  // highest of the records that are there in full length, damaged or not; 0 for none
  uint64_t proven = 0;             // every seq up to this was durable, by the headers here
  uint64_t proven_by_records = 0;  // the same, by records and marks alone
  uint64_t tail_bytes = 0;         // behind the last record
  bool tail_is_torn =
      false;  // the tail can be the beginning of a record, as a killed writer leaves it
};
// Reads the whole segment into memory.
[[nodiscard]] Result<SegmentContent> read_segment(FileSystem& fs, const std::string& path,
                                                  uint64_t spool_id);

}  // namespace vong::spool
