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
constexpr size_t kLzmaHeaderBytes = 13;

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

// One coding. Undecided while the first bytes are too few; then a decoder. Unless the bytes began
// with an unmistakable header the decoder is on trial: what it gives is held back until it has gone
// some way, so that bytes which are not compressed at all come out untouched.
class Decompressor::Layer {
 public:
  Layer(Coding coding, uint64_t lzma_memory_max)
      : coding_(coding), lzma_memory_max_(lzma_memory_max) {}
  ~Layer() { close(); }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // `out(Bytes)` gives false to stop.
  template <typename Out>
  void feed(Bytes data, DecompressProblems& problems, const Out& out) {
    switch (state_) {
      case State::kOver:
        return;
      case State::kPass:
        out(data);
        return;
      case State::kUndecided:
        held_.append(as_text(data));
        begin(false, problems, out);
        break;
      default:
        if (trial_) held_.append(as_text(data));
        run(data, problems, out);
        break;
    }
    if (trial_ && (held_.size() >= kDecompressReplayBytes || trial_out_.size() >= kTrialOutBytes))
      commit(out);
  }

  template <typename Out>
  void finish(DecompressProblems& problems, const Out& out) {
    if (state_ == State::kUndecided && !held_.empty()) begin(true, problems, out);
    if (trial_ && trial_out_.empty())
      trial_out_ = held_;  // nothing came of it: the bytes as they are
    commit(out);
    close();
    state_ = State::kOver;
  }

 private:
  enum class State : uint8_t { kUndecided, kInflate, kBrotli, kLzma, kOver, kPass };
  static constexpr size_t kTrialOutBytes = 64 * 1024;

  // Chooses a decoder for held_ and runs it over that; leaves the state undecided when more bytes
  // are needed.
  template <typename Out>
  void begin(bool last, DecompressProblems& problems, const Out& out) {
    const std::string data = held_;  // held_ may go while the decoder runs
    if (coding_ == Coding::kBrotli) {
      brotli_ = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
      state_ = brotli_ != nullptr ? State::kBrotli : State::kPass;
      trial_ = true;
      return run(as_bytes(data), problems, out);
    }
    if (coding_ == Coding::kLzma) {
      if (data.size() >= kLzmaHeaderBytes || last) begin_lzma(data, problems, out);
      return;
    }
    const GzipHeader header = gzip_header(data);
    if (header.more && !last && data.size() < kDecompressReplayBytes) return;
    if (header.size != 0) {
      start_inflate();
      std::string().swap(held_);
      return run(as_bytes(data).subspan(header.size), problems, out);
    }
    if (data.size() < 2 && !last) return;
    on_zlib_ = data.size() >= 2 && is_zlib_header(data);
    trial_ = true;
    start_inflate();
    run(as_bytes(data).subspan(on_zlib_ ? 2 : 0), problems, out);
  }

  template <typename Out>
  void begin_lzma(const std::string& data, DecompressProblems& problems, const Out& out) {
    // LZMA alone: properties, dictionary size, size. A dictionary beyond the limit is made smaller:
    // distances that need more than it fail later.
    std::string header = data.substr(0, kLzmaHeaderBytes);
    if (header.size() == kLzmaHeaderBytes) {
      uint64_t dictionary = 0;
      for (size_t i = 4; i >= 1; --i)
        dictionary = dictionary << 8 | static_cast<uint8_t>(header[i]);
      if (dictionary > lzma_memory_max_) {
        for (size_t i = 0; i < 4; ++i)
          header[i + 1] = static_cast<char>(lzma_memory_max_ >> (8 * i));
      }
    }
    lzma_ = LZMA_STREAM_INIT;
    lzma_open_ = lzma_alone_decoder(&lzma_, lzma_memory_max_ * 2 + (1 << 20)) == LZMA_OK;
    state_ = lzma_open_ ? State::kLzma : State::kPass;
    trial_ = lzma_open_;
    const std::string rest = data.substr(std::min(kLzmaHeaderBytes, data.size()));
    run(as_bytes(state_ == State::kLzma ? header : data), problems, out);
    if (state_ == State::kLzma) run(as_bytes(rest), problems, out);
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
  bool give(const uint8_t* data, size_t size, const Out& out) {
    if (size == 0) return true;
    if (!trial_) return out(Bytes(data, size));
    trial_out_.append(reinterpret_cast<const char*>(data), size);
    if (trial_out_.size() < kTrialOutBytes) return true;
    return commit(out);
  }

  // The decoder is right: what was held back goes out.
  template <typename Out>
  bool commit(const Out& out) {
    trial_ = false;
    std::string().swap(held_);
    const std::string all = std::move(trial_out_);
    trial_out_.clear();
    return all.empty() || out(as_bytes(all));
  }

  template <typename Out>
  void over(const Out& out) {
    if (trial_) commit(out);
    close();
    state_ = State::kOver;  // trailer and padding do not matter
  }

  template <typename Out>
  void fail(Bytes rest, DecompressProblems& problems, const Out& out) {
    close();
    state_ = State::kPass;
    if (!trial_) {
      problems.failed = true;
      if (!rest.empty()) out(rest);
      return;
    }
    trial_out_.clear();
    if (on_zlib_) {  // not zlib after all: the two bytes belong to raw deflate
      on_zlib_ = false;
      start_inflate();
      const std::string data = held_;
      return run(as_bytes(data), problems, out);
    }
    trial_ = false;
    const std::string all = std::move(held_);
    held_.clear();
    out(as_bytes(all));
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
      const Bytes rest(zlib_.next_in, zlib_.avail_in);
      if (!give(buffer.data(), kOutBytes - zlib_.avail_out, out)) return;
      if (rc == Z_STREAM_END) return over(out);
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
      if (!give(buffer.data(), kOutBytes - room, out)) return;
      // A stream that is over before its bytes are was none: many a plain text begins like an empty one.
      if (rc == BROTLI_DECODER_RESULT_SUCCESS && trial_ && in_size > 0) return fail(Bytes(in, in_size), problems, out);
      if (rc == BROTLI_DECODER_RESULT_SUCCESS) return over(out);
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
      const Bytes rest(lzma_.next_in, lzma_.avail_in);
      if (!give(buffer.data(), kOutBytes - lzma_.avail_out, out)) return;
      if (rc == LZMA_STREAM_END) return over(out);
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
  bool trial_ = false;
  bool on_zlib_ = false;  // the trial took the first two bytes for a zlib header
  bool zlib_open_ = false, lzma_open_ = false;
  std::string held_;  // input from the beginning, while undecided or on trial
  std::string trial_out_;
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
