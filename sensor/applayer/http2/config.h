// app-layer.protocols.http2.*: max-streams, max-table-size, max-reassembly-size; and what of the
// HTTP/1 settings goes for bodies of either version.
#pragma once

#include <cstdint>
#include <memory>

#include "base/settings.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/http/range_files.h"
#include "sensor/applayer/http2/limits.h"

namespace vong::http2 {

struct Config {
  uint32_t streams_max = kStreamsMax;
  size_t table_bytes_max = kTableBytesMax;
  size_t header_block_bytes_max = kHeaderBlockBytesMax;
  uint64_t bomb_bytes_min = 1024 * 1024;
  bool doh = true;  // DNS messages are read (app-layer.protocols.doh2)
  applayer::FileOptions files;
  std::shared_ptr<http::RangeFiles> ranges = http::shared_range_files();
};

[[nodiscard]] std::shared_ptr<const Config> make_config(const Settings& settings);

}  // namespace vong::http2
