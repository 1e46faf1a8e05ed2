// A folder into which somebody puts captures: each is read when it is finished, in order of its
// time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/capture/packet_source.h"

namespace vong::capture {

struct WatchOptions {
  bool continuous = true;         // false: what is there now, then the end
  bool recursive = false;         // the folders below too
  bool delete_when_done = false;  // a file that was read to its end; a damaged one stays
  std::chrono::milliseconds poll_interval{1000};  // between looks into the folder
  std::chrono::milliseconds settle{
      1000};  // a file that was changed later is still being written; of a continuous watch only
};

// next() gives kTimeout while there is nothing new. A file counts again when its time or size
// changes. `path` may be a single file. Other files than captures are skipped and stay.
[[nodiscard]] Result<std::unique_ptr<PacketSource>> open_directory_watch(
    const std::string& path, const WatchOptions& options);

}  // namespace vong::capture
