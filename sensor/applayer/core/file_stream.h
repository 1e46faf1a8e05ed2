// One file that is read or written in parts: puts parts that come out of order into order, within a
// queue that is bounded, and tells of parts that overlap.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "sensor/applayer/core/file.h"

namespace vong::applayer {

struct QueueLimits {
  uint64_t bytes_max = 0;
  uint32_t parts_max = 0;
};

// Closes an open file as truncated, without the hashes of what is there: the flow ended before the
// file did.
void abandon(FileContainer& files);
// The open file, if any, is over: whole, or broken off.
inline void end_file(FileContainer& files, bool whole) {
  if (whole)
    files.close();
  else
    abandon(files);
}

class FileStream {
 public:
  enum class Outcome : uint8_t { kOk, kOverlap, kQueueBytes, kQueueParts };

  FileStream(const FileOptions& options, std::string name, uint64_t file_id);

  // A part begins: `data` is what is there of its `size` bytes; the rest comes by more() or lost().
  Outcome part(uint64_t offset, uint64_t size, Bytes data, const QueueLimits& limits);
  void more(Bytes data);
  void lost(uint64_t size);
  // No more comes: the file ended, or the flow did.
  void close();
  void abandon();

  [[nodiscard]] uint64_t tracked() const { return tracked_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] FileContainer& container() { return files_; }
  [[nodiscard]] const FileContainer& container() const { return files_; }

 private:
  void take_queued();

  FileContainer files_;
  uint64_t tracked_ = 0;  // bytes of the file that came in order
  uint64_t left_ = 0;     // of the part that is coming
  enum class Part : uint8_t { kNone, kInOrder, kQueued, kIgnored } kind_ = Part::kNone;
  uint64_t part_offset_ = 0;
  std::map<uint64_t, std::string> queue_;
  uint64_t queued_bytes_ = 0;
  bool closed_ = false;
};

}  // namespace vong::applayer
