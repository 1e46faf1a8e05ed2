#include "sensor/applayer/http2/huffman.h"

#include <array>
#include <cstdint>

namespace vong::http2 {
namespace {

constexpr int kSymbols = 257;  // 256: end of string
constexpr int kLongest = 30;

constexpr std::array<uint8_t, kSymbols> kLengths = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,
    7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,
    7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
};

struct Code {
  std::array<uint16_t, kSymbols> symbols{};  // in the order of their codes
  std::array<uint64_t, kLongest + 2>
      limit{};  // first code behind those of this length, left-aligned to 32 bits
  std::array<uint32_t, kLongest + 1> first{};  // first code of this length
  std::array<uint16_t, kLongest + 1> index{};  // its place in `symbols`
  std::array<uint8_t, 256>
      short_length{};  // by the next eight bits: a code of at most eight bits, or 0
  std::array<uint8_t, 256> short_symbol{};
};

constexpr Code make_code() {
  Code c;
  uint32_t code = 0;
  uint16_t at = 0;
  for (int length = 1; length <= kLongest; ++length) {
    code <<= 1;
    c.first[static_cast<size_t>(length)] = code;
    c.index[static_cast<size_t>(length)] = at;
    for (int s = 0; s < kSymbols; ++s) {
      if (kLengths[static_cast<size_t>(s)] != length) continue;
      c.symbols[at++] = static_cast<uint16_t>(s);
      if (length <= 8) {
        for (uint32_t k = code << (8 - length); k < (code + 1) << (8 - length); ++k) {
          c.short_length[k] = static_cast<uint8_t>(length);
          c.short_symbol[k] = static_cast<uint8_t>(s);
        }
      }
      ++code;
    }
    c.limit[static_cast<size_t>(length)] = uint64_t{code} << (32 - length);
  }
  return c;
}

constexpr Code kCode = make_code();

}  // namespace

bool huffman_decode(Bytes coded, std::string& out) {
  uint64_t bits = 0;  // the next ones, left-aligned
  int have = 0;
  size_t at = 0;
  for (;;) {
    while (have <= 56 && at < coded.size()) {
      bits |= uint64_t{coded[at++]} << (56 - have);
      have += 8;
    }
    const auto next = static_cast<size_t>(bits >> 56);
    int length = kCode.short_length[next];
    uint32_t symbol = kCode.short_symbol[next];
    if (length == 0) {
      const uint64_t top = bits >> 32;
      length = 9;
      while (length <= kLongest && top >= kCode.limit[static_cast<size_t>(length)]) ++length;
      if (length > kLongest) return false;  // cannot be: the code is complete
      const auto l = static_cast<size_t>(length);
      symbol = kCode.symbols[kCode.index[l] +
                             static_cast<size_t>((top >> (32 - length)) - kCode.first[l])];
    }
    if (length > have) {  // what is left must be padding: ones, fewer than eight
      return have < 8 && (have == 0 || bits >> (64 - have) == (uint64_t{1} << have) - 1);
    }
    if (symbol > 255) return false;
    out.push_back(static_cast<char>(symbol));
    bits <<= length;
    have -= length;
  }
}

}  // namespace vong::http2
