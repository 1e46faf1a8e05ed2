#include "sensor/applayer/http/decompress.h"

#include <brotli/decode.h>
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/strings.h"
#include "sensor/applayer/http/limits.h"

namespace vong::http {
namespace {

constexpr size_t kOutBytes = 16 * 1024;

// The gzip header (RFC 1952 2.3) at the front of `data`. Size 0 and `more`: not all of it is here;
// size 0: it is none.
struct GzipHeader {
  size_t size = 0;
  bool more = false;
};

GzipHeader gzip_header(std::string_view data) {
  if (data.empty()) return {0, true};
  if (data[0] != '\x1f' || (data.size() > 1 && data[1] != '\x8b')) return {};
  if (data.size() < 10) return {0, true};
  const auto flags = static_cast<uint8_t>(data[3]);
  size_t at = 10;
  if (flags & 4) {  // FEXTRA
    if (data.size() < at + 2) return {0, true};
    at += 2 + static_cast<uint8_t>(data[at]) + 256U * static_cast<uint8_t>(data[at + 1]);
  }
  for (const int bit : {8, 16}) {  // FNAME, FCOMMENT
    if (!(flags & bit)) continue;
    const size_t end = at < data.size() ? data.find('\0', at) : std::string_view::npos;
    if (end == std::string_view::npos) return {0, true};
    at = end + 1;
  }
  if (flags & 2) at += 2;  // FHCRC
  return at <= data.size() ? GzipHeader{at, false} : GzipHeader{0, true};
}

bool is_zlib_header(std::string_view data) {
  const auto cmf = static_cast<uint8_t>(data[0]), flg = static_cast<uint8_t>(data[1]);
  return (cmf & 15) == 8 && (cmf >> 4) <= 7 && (cmf * 256 + flg) % 31 == 0;
}

}  // namespace

// A state machine over one coding: undecided while the first bytes are too few, then a decoder,
// then over or passing through.
class Decompressor::Layer {
 public:
  enum class State : uint8_t { kUndecided, kInflate, kBrotli, kLzma, kOver, kPass };

  Layer(Coding coding, uint64_t lzma_memory_max)
      : coding_(coding), lzma_memory_max_(lzma_memory_max) {}
  ~Layer() { close(); }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // Output goes to `out` (std::function-like, returns false to stop).
  template <typename Out>
  void feed(Bytes data, DecompressProblems& problems, const Out& out) {
    if (state_ == State::kOver) return;
    if (state_ == State::kPass) {
      out(data);
      return;
    }
    if (state_ == State::kUndecided || !gave_) {
      held_.append(as_text(data));
      const std::string now =
          state_ == State::kUndecided ? std::string() : std::string(as_text(data));
      if (state_ == State::kUndecided) {
        begin(problems, out, false);
      } else {
        run(as_bytes(now), problems, out);
      }
      if (gave_ || held_.size() > kDecompressReplayBytes) {
        gave_ = gave_ || state_ != State::kUndecided;
        if (state_ != State::kUndecided) std::string().swap(held_);
      }
      return;
    }
    run(data, problems, out);
  }

  template <typename Out>
  void finish(DecompressProblems& problems, const Out& out) {
    if (state_ == State::kUndecided && !held_.empty()) begin(problems, out, true);
    close();
    state_ = State::kOver;
  }

 private:
  // Chooses a decoder for held_ and gives it what is held.
  template <typename Out>
  void begin(DecompressProblems& problems, const Out& out, bool last) {
    const std::string_view data = held_;
    if (coding_ == Coding::kBrotli) {
      brotli_ = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
      state_ = brotli_ != nullptr ? State::kBrotli : State::kPass;
      return start_with(data, problems, out);
    }
    if (coding_ == Coding::kLzma) {
      if (data.size() < 13 && !last) return;
      return begin_lzma(data, problems, out);
    }
    const GzipHeader header = gzip_header(data);
    if (header.more && !last && data.size() <= kDecompressReplayBytes) return;
    if (header.size != 0) {
      start_inflate();
      return start_with(data.substr(header.size), problems, out);
    }
    if (data.size() < 2 && !last) return;
    tried_zlib_ = data.size() >= 2 && is_zlib_header(data);
    start_inflate();
    start_with(data.substr(tried_zlib_ ? 2 : 0), problems, out);
  }

  template <typename Out>
  void begin_lzma(std::string_view data, DecompressProblems& problems, const Out& out) {
    // LZMA alone: properties, dictionary size, size. A dictionary beyond the limit is made smaller:
    // distances that need more than it fail later.
    std::string header(data.substr(0, 13));
    if (header.size() == 13) {
      uint64_t dictionary = 0;
      for (int i = 4; i >= 1; --i)
        dictionary = dictionary << 8 | static_cast<uint8_t>(header[static_cast<size_t>(i)]);
      if (dictionary > lzma_memory_max_) {
        problems.lzma_memory = problems.lzma_memory || dictionary > 64 * lzma_memory_max_;
        for (size_t i = 0; i < 4; ++i)
          header[i + 1] = static_cast<char>(lzma_memory_max_ >> (8 * i));
      }
    }
    lzma_ = LZMA_STREAM_INIT;
    const bool open = lzma_alone_decoder(&lzma_, lzma_memory_max_ * 2 + (1 << 20)) == LZMA_OK;
    lzma_open_ = open;
    state_ = open ? State::kLzma : State::kPass;
    const std::string rest(data.substr(std::min<size_t>(13, data.size())));
    if (state_ == State::kLzma) run(as_bytes(header), problems, out);
    if (state_ == State::kLzma) run(as_bytes(rest), problems, out);
  }

  template <typename Out>
  void start_with(std::string_view data, DecompressProblems& problems, const Out& out) {
    const std::string copy(data);  // held_ may go while the decoder runs
    run(as_bytes(copy), problems, out);
  }

  void start_inflate() {
    close();
    zlib_ = {};
    zlib_open_ = inflateInit2(&zlib_, -15) == Z_OK;
    state_ = zlib_open_ ? State::kInflate : State::kPass;
  }

  template <typename Out>
  void run(Bytes data, DecompressProblems& problems, const Out& out) {
    switch (state_) {
      case State::kInflate:
        return run_inflate(data, problems, out);
      case State::kBrotli:
        return run_brotli(data, problems, out);
      case State::kLzma:
        return run_lzma(data, problems, out);
      case State::kPass:
        out(data);
        return;
      case State::kUndecided:
      case State::kOver:
        return;
    }
  }

  template <typename Out>
  void fail(Bytes rest, DecompressProblems& problems, const Out& out) {
    close();
    if (!gave_ && tried_zlib_) {
      // Not zlib after all: the two bytes belong to raw deflate.
      tried_zlib_ = false;
      start_inflate();
      return start_with(held_, problems, out);
    }
    problems.failed = true;
    state_ = State::kPass;
    if (!gave_ && !held_.empty()) {
      gave_ = true;
      const std::string all = std::move(held_);
      out(as_bytes(all));
      return;
    }
    if (!rest.empty()) out(rest);
  }

  template <typename Out>
  void run_inflate(Bytes data, DecompressProblems& problems, const Out& out) {
    std::array<uint8_t, kOutBytes> buffer;
    zlib_.next_in = const_cast<uint8_t*>(data.data());
    zlib_.avail_in = static_cast<uInt>(data.size());
    for (;;) {
      zlib_.next_out = buffer.data();
      zlib_.avail_out = kOutBytes;
      const int rc = inflate(&zlib_, Z_SYNC_FLUSH);
      const size_t got = kOutBytes - zlib_.avail_out;
      const Bytes rest(zlib_.next_in, zlib_.avail_in);
      if (got > 0) {
        gave_ = true;
        if (!out(Bytes(buffer.data(), got))) return;
      }
      if (rc == Z_STREAM_END) {
        close();
        state_ = State::kOver;  // trailer and padding
        return;
      }
      if (rc != Z_OK && rc != Z_BUF_ERROR) return fail(rest, problems, out);
      if (zlib_.avail_out != 0) return;  // all input used
    }
  }

  template <typename Out>
  void run_brotli(Bytes data, DecompressProblems& problems, const Out& out) {
    std::array<uint8_t, kOutBytes> buffer;
    const uint8_t* in = data.data();
    size_t in_size = data.size();
    for (;;) {
      uint8_t* next = buffer.data();
      size_t room = kOutBytes;
      const BrotliDecoderResult rc =
          BrotliDecoderDecompressStream(brotli_, &in_size, &in, &room, &next, nullptr);
      if (room < kOutBytes) {
        gave_ = true;
        if (!out(Bytes(buffer.data(), kOutBytes - room))) return;
      }
      if (rc == BROTLI_DECODER_RESULT_SUCCESS) {
        close();
        state_ = State::kOver;
        return;
      }
      if (rc == BROTLI_DECODER_RESULT_ERROR) return fail(Bytes(in, in_size), problems, out);
      if (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return;
    }
  }

  template <typename Out>
  void run_lzma(Bytes data, DecompressProblems& problems, const Out& out) {
    std::array<uint8_t, kOutBytes> buffer;
    lzma_.next_in = data.data();
    lzma_.avail_in = data.size();
    for (;;) {
      lzma_.next_out = buffer.data();
      lzma_.avail_out = kOutBytes;
      const lzma_ret rc = lzma_code(&lzma_, LZMA_RUN);
      const size_t got = kOutBytes - lzma_.avail_out;
      const Bytes rest(lzma_.next_in, lzma_.avail_in);
      if (got > 0) {
        gave_ = true;
        if (!out(Bytes(buffer.data(), got))) return;
      }
      if (rc == LZMA_STREAM_END) {
        close();
        state_ = State::kOver;
        return;
      }
      if (rc == LZMA_MEMLIMIT_ERROR) problems.lzma_memory = true;
      if (rc == LZMA_BUF_ERROR) return;
      if (rc != LZMA_OK) return fail(rest, problems, out);
      if (lzma_.avail_out != 0 && lzma_.avail_in == 0) return;
    }
  }

  void close() {
    if (zlib_open_) inflateEnd(&zlib_);
    if (lzma_open_) lzma_end(&lzma_);
    if (brotli_ != nullptr) BrotliDecoderDestroyInstance(brotli_);
    zlib_open_ = lzma_open_ = false;
    brotli_ = nullptr;
  }

  Coding coding_;
  uint64_t lzma_memory_max_;
  State state_ = State::kUndecided;
  bool gave_ = false;  // output was given: no second try any more
  bool tried_zlib_ = false;
  bool zlib_open_ = false, lzma_open_ = false;
  std::string held_;  // input since the beginning while !gave_
  z_stream zlib_{};
  lzma_stream lzma_ = LZMA_STREAM_INIT;
  BrotliDecoderState* brotli_ = nullptr;
};

Decompressor::Decompressor(uint64_t lzma_memory_max, uint64_t bomb_bytes_min)
    : lzma_memory_max_(lzma_memory_max), bomb_bytes_min_(bomb_bytes_min) {}

Decompressor::~Decompressor() = default;

void Decompressor::add_layer(Coding coding) {
  layers_.push_back(std::make_unique<Layer>(coding, lzma_memory_max_));
}

void Decompressor::feed_layer(size_t i, Bytes data, const Sink& sink) {
  if (stopped_ || data.empty()) return;
  if (i == layers_.size()) {
    bytes_out_ += data.size();
    if (bytes_out_ > bomb_bytes_min_ && bytes_out_ > kBombRatio * bytes_in_) {
      problems_.bomb = stopped_ = true;
      return;
    }
    sink(data);
    return;
  }
  layers_[i]->feed(data, problems_, [&](Bytes out) {
    feed_layer(i + 1, out, sink);
    return !stopped_;
  });
}

void Decompressor::finish_layer(size_t i, const Sink& sink) {
  if (i == layers_.size()) return;
  layers_[i]->finish(problems_, [&](Bytes out) {
    feed_layer(i + 1, out, sink);
    return !stopped_;
  });
  finish_layer(i + 1, sink);
}

void Decompressor::feed(Bytes data, const Sink& sink) {
  bytes_in_ += data.size();
  feed_layer(0, data, sink);
}

void Decompressor::finish(const Sink& sink) { finish_layer(0, sink); }

}  // namespace vong::http
