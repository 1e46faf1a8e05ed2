// The one place where bounds are checked. Reads advance; a read past the end makes the reader null, every later read then
// returns zeros or nothing, so a parser is a straight list of fields with one check of ok() at the end. A null reader stays
// null: after a failure throw it away.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"

namespace vong {

class ByteReader {
 public:
  // `bytes` must outlive the reader and every span that it hands out.
  explicit ByteReader(Bytes bytes) : pos_(bytes.data()), end_(bytes.data() + bytes.size()), begin_(bytes.data()) {}
  ByteReader(const uint8_t* data, size_t size) : ByteReader(Bytes(data, size)) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] bool empty() const { return failed_ || pos_ == end_; }
  [[nodiscard]] size_t remaining() const { return failed_ ? 0 : static_cast<size_t>(end_ - pos_); }
  [[nodiscard]] size_t position() const { return static_cast<size_t>(pos_ - begin_); }  // bytes read so far

  [[nodiscard]] uint8_t u8() { return static_cast<uint8_t>(big_endian<1>()); }
  [[nodiscard]] uint16_t u16() { return static_cast<uint16_t>(big_endian<2>()); }
  [[nodiscard]] uint32_t u24() { return static_cast<uint32_t>(big_endian<3>()); }
  [[nodiscard]] uint32_t u32() { return static_cast<uint32_t>(big_endian<4>()); }
  [[nodiscard]] uint64_t u64() { return big_endian<8>(); }
  [[nodiscard]] uint16_t u16_le() { return static_cast<uint16_t>(little_endian<2>()); }
  [[nodiscard]] uint32_t u32_le() { return static_cast<uint32_t>(little_endian<4>()); }
  [[nodiscard]] uint64_t u64_le() { return little_endian<8>(); }

  // The next `n` bytes; an empty span and a null reader when there are fewer.
  [[nodiscard]] Bytes bytes(size_t n) {
    if (!take(n)) return {};
    return {pos_ - n, n};
  }
  // A reader over the next `n` bytes; null (and this one too) when there are fewer.
  [[nodiscard]] ByteReader sub(size_t n) {
    ByteReader result(bytes(n));
    result.failed_ = failed_;
    return result;
  }
  // All that is left; the reader is then empty.
  [[nodiscard]] Bytes rest() { return bytes(remaining()); }
  // All that is left, without reading it.
  [[nodiscard]] Bytes peek() const { return failed_ ? Bytes() : Bytes(pos_, end_); }
  // The byte at `offset` from here, 0 when it is not there; does not advance or fail.
  [[nodiscard]] uint8_t peek_u8(size_t offset = 0) const { return offset < remaining() ? pos_[offset] : 0; }

  bool skip(size_t n) { return take(n); }

 private:
  bool take(size_t n) {
    if (failed_ || n > static_cast<size_t>(end_ - pos_)) {
      failed_ = true;
      return false;
    }
    pos_ += n;
    return true;
  }
  template <int N>
  uint64_t big_endian() {
    if (!take(N)) return 0;
    uint64_t value = 0;
    for (int i = 0; i < N; ++i) value = value << 8 | pos_[i - N];
    return value;
  }
  template <int N>
  uint64_t little_endian() {
    if (!take(N)) return 0;
    uint64_t value = 0;
    for (int i = N - 1; i >= 0; --i) value = value << 8 | pos_[i - N];
    return value;
  }

  const uint8_t* pos_;
  const uint8_t* end_;
  const uint8_t* begin_;
  bool failed_ = false;
};

}  // namespace vong
