// Settings of the HTTP/1 parser: app-layer.protocols.http.libhtp, default-config and server-config
// by address.
#pragma once

#include <cstdint>
#include <memory>

#include "base/ip_prefix_map.h"
#include "base/settings.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/http/range_files.h"

namespace vong::http {

// What one server is taken to do.
struct ServerConfig {
  uint64_t request_body_limit = 100 * 1024;  // 0: none
  uint64_t response_body_limit = 100 * 1024;
  uint64_t request_body_inspect_min = 32 * 1024;
  uint64_t response_body_inspect_min = 40 * 1024;
  uint64_t request_body_inspect_window = 4 * 1024;
  uint64_t response_body_inspect_window = 16 * 1024;
  int response_layers_max = 2;  // 0: none but kDecompressionLayersMax
  bool lzma = false;
  uint64_t lzma_memory_max = 1024 * 1024;
  uint64_t bomb_bytes_min = 1024 * 1024;
  size_t transactions_max = 512;
  uint32_t headers_max = 1024;
  size_t field_bytes_max = 18'000;
  bool double_decode_path = false;
  bool double_decode_query = false;
  bool uri_include_all = false;
  bool query_plus_is_space = false;
  // Of the personality.
  bool backslash_is_slash = true;
  bool decode_u = true;
  bool compress_separators = true;
  bool decode_separators = true;
  bool allow_space_uri = true;  // the target ends at the last space of the line
  bool utf8_best_fit = true;
};

struct HttpConfig {
  ServerConfig defaults;
  IpPrefixMap<ServerConfig> servers;  // the longest prefix wins
  applayer::FileOptions files;
  std::shared_ptr<RangeFiles> ranges = shared_range_files();
};

[[nodiscard]] std::shared_ptr<const HttpConfig> make_http_config(const Settings& settings);

}  // namespace vong::http
