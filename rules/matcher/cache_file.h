// The file that holds one compiled set.
//
//   8  magic "VONGPSET"
//   4  format version, little endian (1)
//   4  length of the platform key, P
//   8  length of the set's canonical bytes, C
//   8  length of the compiled form, D
//   8  checksum of everything after these 40 bytes
//   P  Matcher::platform_key() and the compile options
//   C  PatternSet::canonical_bytes()
//   D  Matcher::serialize()
//
// Nothing follows; the file is exactly 40 + P + C + D bytes long. The checksum finds damage, not
// forgery.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vong::matcher {

[[nodiscard]] uint64_t checksum(Bytes bytes, uint64_t seed = 0);

enum class CacheFileState : uint8_t { kGood, kAbsent, kDamaged, kForeign };

// A mapped file; the spans live as long as it does.
class CacheFile {
 public:
  // Maps the file and holds it against `key` and `canonical`. kForeign: another key, format or
  // owner.
  CacheFile(const std::string& path, std::string_view key, std::string_view canonical);
  ~CacheFile();
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;

  [[nodiscard]] CacheFileState state() const { return state_; }
  [[nodiscard]] Bytes compiled() const { return compiled_; }  // kGood only

 private:
  CacheFileState open(const std::string& path, std::string_view key, std::string_view canonical);
  CacheFileState check(Bytes whole, std::string_view key, std::string_view canonical);

  void* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
  Bytes compiled_;
  CacheFileState state_;
};

// Writes beside `path` and renames. False when the disk refuses; nothing is left behind then.
[[nodiscard]] bool write_cache_file(const std::string& path, std::string_view key,
                                    std::string_view canonical, std::string_view compiled);

}  // namespace vong::matcher
