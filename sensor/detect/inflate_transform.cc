// gunzip, zlib_deflate: what a buffer holds in compressed form (RFC 1950, RFC 1952), up to a size.
#include <zlib.h>

#include "fmt/format.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/transform.h"

namespace vong::detect {
namespace {

using rules::value_error;

constexpr int kZlibWindow = 15, kGzipWindow = 15 + 16;   // as inflateInit2 tells the formats apart

class Inflate : public Transform {
 public:
  Inflate(int window, uint32_t bytes_max) : window_(window), bytes_max_(bytes_max) {}

  // Data that breaks off or goes bad gives what came out before.
  bool apply(Bytes in, std::string& out) const override {
    z_stream z{};
    if (inflateInit2(&z, window_) != Z_OK) return false;
    out.resize(bytes_max_);
    z.next_in = const_cast<Bytef*>(in.data());
    z.avail_in = static_cast<uInt>(in.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = bytes_max_;
    (void)inflate(&z, Z_SYNC_FLUSH);
    out.resize(bytes_max_ - z.avail_out);
    inflateEnd(&z);
    return !out.empty();
  }

 private:
  int window_;
  uint32_t bytes_max_;
};

rules::Parsed<std::unique_ptr<Transform>> make(std::string_view value, int window) {
  uint32_t bytes_max = kDefaultInflatedBytes;
  const auto parts = rules::split_parts(value);
  if (!parts) return std::unexpected(parts.error());
  for (const std::string_view part : *parts) {
    const auto [key, size] = rules::split_key(part);
    if (key != "max-size") return value_error(part, "expected max-size <bytes>");
    const auto n = rules::parse_size_bytes(size, kMaxTransformedBytes);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return value_error(part, "max-size cannot be 0");
    bytes_max = static_cast<uint32_t>(*n);
  }
  return std::make_unique<Inflate>(window, bytes_max);
}

}  // namespace

rules::Parsed<std::unique_ptr<Transform>> make_gunzip(std::string_view value) { return make(value, kGzipWindow); }
rules::Parsed<std::unique_ptr<Transform>> make_zlib_deflate(std::string_view value) { return make(value, kZlibWindow); }

}  // namespace vong::detect
