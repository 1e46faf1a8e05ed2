// Content codings taken off a body as its bytes come (RFC 9110 8.4.1): gzip, deflate (zlib or raw),
// brotli, LZMA, in layers. Lenient like browsers: the declared kind is a hint, what the bytes are
// decides; bytes that no decoder takes go through as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::http {

enum class Coding : uint8_t { kGzip, kDeflate, kBrotli, kLzma };

struct DecompressProblems {
  bool failed = false;       // a layer gave up and passes bytes on
  bool lzma_memory = false;  // its dictionary was cut to the limit
  bool bomb = false;
};

// One body's layers. The callback gets plain bytes, any number of times, during feed() and
// finish().
class Decompressor {
 public:
  using Sink = std::function<void(Bytes)>;

  Decompressor(uint64_t lzma_memory_max, uint64_t bomb_bytes_min);
  ~Decompressor();

  void add_layer(Coding coding);  // outermost first
  [[nodiscard]] bool empty() const { return layers_.empty(); }

  void feed(Bytes data, const Sink& sink);
  void finish(const Sink& sink);  // the body is over: what is held back comes out

  [[nodiscard]] const DecompressProblems& problems() const { return problems_; }
  [[nodiscard]] uint64_t bytes_in() const { return bytes_in_; }
  [[nodiscard]] uint64_t bytes_out() const { return bytes_out_; }

  class Layer;

 private:
  void feed_layer(size_t i, Bytes data, const Sink& sink);
  void finish_layer(size_t i, const Sink& sink);

  std::vector<std::unique_ptr<Layer>> layers_;
  DecompressProblems problems_;
  uint64_t lzma_memory_max_, bomb_bytes_min_;
  uint64_t bytes_in_ = 0, bytes_out_ = 0;
  bool stopped_ = false;  // bomb: the rest is thrown away
};

}  // namespace vong::http
