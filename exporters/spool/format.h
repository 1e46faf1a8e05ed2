// The spool on disk
// =================
//
// A directory that one writer appends to and one forwarder reads from, in one process or in two.
// The files are all that they share.
//
//   seg-0000000001-<id>.spool ...   segments: records in order of seq; the spool's id stands in the
//   name, so that it outlives damage cursor                     how far the forwarder has come
//   append.lock, forward.lock  flock: one writer, one forwarder
//
// All numbers are little endian. Checksums are CRC-32C and go on from the checksum of the spool's
// id (8 random bytes), so bytes that came in with an event cannot be mistaken for a record of ours.
//
// Segment header, 48 bytes:
//    0  8  "VONGSPL1"
//    8  8  spool id
//   16  8  segment number, as in the file's name
//   24  8  seq of the first record that will be written here
//   32  8  time of creation, ns
//   40  4  0
//   44  4  checksum of bytes 0..43 (of these alone: it names the id)
//
// Record, 36 bytes and the payload:
//    0  4  F5 56 52 C1
//    4  4  checksum of bytes 8..35
//    8  4  size of the payload, at most kMaxPayloadBytes
//   12  4  checksum of the payload
//   16  8  seq: 1, 2, 3 ... without gaps over all segments
//   24  8  time of the append, ns since 1970
//   32  4  how many seqs right before this one were not durable yet when it was taken
//   36     payload
//
// Cursor, two slots of 64 bytes at 0 and 4096, written in turn; the valid one with the higher
// generation counts:
//    0  8  "VONGCUR1"
//    8  8  spool id
//   16  8  generation
//   24  8  acknowledged: every record up to this seq is with the receiver
//   32  8  base: what the receiver's numbers are ahead of seq (see exporters/send/resume.h)
//   40 20  0
//   60  4  checksum of bytes 0..59
//
// A record without payload is a mark: no event, it only says, as every record does with its seq and
// the number at 32, that all before it were durable when it was taken. Its seq is that of the next
// event.
//
// What is durable. A record is accepted when fsync has returned for it and, in a new segment, for
// the directory. Whoever reads the files knows it (proven) from a later record or mark, or from the
// header of a later segment: all below its first seq were durable.
//
// The writer
// - Writes at the end only, never into what is there, and always begins a new segment when it opens
// the spool: whatever a crash left
//   at the end of an older one stays there and is passed over.
// - When write or fsync fails, the segment is left as it is and every record since the last good
// fsync is written again,
//   with the same seq, into a new segment. (After a failed fsync the kernel may have dropped the
//   pages: trying again proves nothing, and what can still be read of them may never reach the
//   disk.)
// - At its start it does the same with all that it finds and that is not proven: the process before
// may have been killed between
//   write and fsync, or after the fsync and before the mark.
// - Goes on behind the highest record that is there in full length. If the newest segment ends in
// bytes that are neither the
//   beginning of a record (what a kill leaves) nor zeros (what a power cut leaves), as many seqs
//   are left out as could have stood there, so that none is given twice and the damage shows as a
//   gap.
// - Deletes nothing but a segment that it has just made and could not write a record to.
//
// The reader
// - Hands out only what is proven, or what the writer in the same process says is durable.
// - Reads the segments in order of their numbers. A record whose seq is not below the first seq of
// the next segment has been written
//   again there and is skipped here; so is every seq that was seen before.
// - Wrong checksum of a payload: the record is skipped by its size. Wrong checksum of a record's
// header: the next valid header
//   is looked for. Neither is silent: bytes and missing seqs are counted. At the end of the newest
//   segment an incomplete record is one that is being written; at the end of an older one it is
//   what a crash left, counted as torn bytes.
// - Is the only one that deletes. Order: receiver has committed; cursor written and fsynced; and
// only when both slots of the
//   cursor cover every record of a segment, and a newer one exists, the segment is unlinked. So
//   neither a crash between any two calls nor the loss of one slot leaves a cursor that points to
//   before what is gone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vong::spool {

inline constexpr std::size_t kSegmentHeaderBytes = 48;
inline constexpr std::size_t kRecordHeaderBytes = 36;
inline constexpr std::size_t kCursorSlotBytes = 64;
inline constexpr uint64_t kCursorSlotOffsets[2] = {0, 4096};

struct SegmentHeader {
  uint64_t spool_id = 0;
  uint64_t number = 0;
  uint64_t first_seq = 0;
  int64_t created_ns = 0;
};
[[nodiscard]] std::array<uint8_t, kSegmentHeaderBytes> encode(const SegmentHeader& header);
[[nodiscard]] std::optional<SegmentHeader> decode_segment_header(Bytes bytes);

struct CursorSlot {
  uint64_t spool_id = 0;
  uint64_t generation = 0;
  uint64_t acknowledged = 0;
  int64_t base = 0;
};
[[nodiscard]] std::array<uint8_t, kCursorSlotBytes> encode(const CursorSlot& slot);
[[nodiscard]] std::optional<CursorSlot> decode_cursor_slot(Bytes bytes);

struct RecordHeader {
  uint32_t size = 0;
  uint32_t payload_crc = 0;
  uint64_t seq = 0;
  int64_t time_ns = 0;
  uint32_t behind = 0;
  // Every seq up to this was durable when the record was taken.
  [[nodiscard]] uint64_t proves() const { return behind < seq ? seq - 1 - behind : 0; }
};

// What all checksums of a spool's records begin with.
[[nodiscard]] uint32_t checksum_seed(uint64_t spool_id);
// Appends header and payload; size and checksum are taken from the payload.
void append_record(std::string& out, uint32_t seed, const RecordHeader& header, Bytes payload);
// The header at the start of `bytes`; nothing when it is not one or has fewer bytes.
[[nodiscard]] std::optional<RecordHeader> decode_record_header(Bytes bytes, uint32_t seed);
[[nodiscard]] bool payload_is_whole(const RecordHeader& header, Bytes payload, uint32_t seed);
// The offset of the first valid record header in `bytes` at or behind `from`; bytes.size() when
// there is none.
[[nodiscard]] std::size_t find_record(Bytes bytes, std::size_t from, uint32_t seed);

struct SegmentName {
  uint64_t number = 0;
  uint64_t spool_id = 0;
};
[[nodiscard]] std::string to_string(const SegmentName& name);
[[nodiscard]] std::optional<SegmentName> parse_segment_name(std::string_view name);

}  // namespace vong::spool
