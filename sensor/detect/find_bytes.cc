#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "base/equal_at.h"
#include "base/strings.h"
#include "sensor/detect/inspect.h"

namespace vong::detect {
namespace {

#ifdef __AVX2__
constexpr size_t kMissesMax = 256;   // data made so that both bytes stand everywhere: the library's search is linear

bool is_letter(uint8_t c) { return c >= 'a' && c <= 'z'; }

// One byte of the pattern, 32 places at once. `fold`: what makes an upper case letter lower; 0 where case counts.
struct Byte32 {
  __m256i value, fold;
  Byte32(uint8_t c, bool nocase)
      : value(_mm256_set1_epi8(static_cast<char>(c))), fold(_mm256_set1_epi8(nocase && is_letter(c) ? 0x20 : 0)) {}
  [[nodiscard]] __m256i at(const uint8_t* p) const {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_cmpeq_epi8(_mm256_or_si256(bytes, fold), value);
  }
};
#endif

}  // namespace

// The pattern's first and last byte are looked for together; where both stand the rest is compared.
size_t find_bytes(Bytes data, size_t from, size_t to, Bytes pattern, bool nocase) {
  const size_t n = pattern.size();
  if (from > to || to > data.size() || to - from < n) return kNotFound;
  if (n == 0) return from;
  const uint8_t* const p = pattern.data();
  const uint8_t* at = data.data() + from;
  const uint8_t* const last = data.data() + to - n;   // the last place where it can begin
#ifdef __AVX2__
  const Byte32 first(p[0], nocase), end(p[n - 1], nocase);
  size_t misses = kMissesMax;
  for (; last - at >= 31; at += 32) {
    const __m256i both = _mm256_and_si256(first.at(at), end.at(at + n - 1));
    for (auto hits = static_cast<uint32_t>(_mm256_movemask_epi8(both)); hits != 0; hits &= hits - 1) {
      const uint8_t* place = at + std::countr_zero(hits);
      if (equal_at(place, p, n, nocase)) return static_cast<size_t>(place - data.data());
      if (--misses == 0 && !nocase) {
        const void* hit = ::memmem(place + 1, static_cast<size_t>(last - place) + n - 1, p, n);
        return hit == nullptr ? kNotFound : static_cast<size_t>(static_cast<const uint8_t*>(hit) - data.data());
      }
    }
  }
#endif
  for (; at <= last; ++at) {
    const bool begins = nocase ? ascii_lower(*at) == p[0] : *at == p[0];
    if (begins && equal_at(at, p, n, nocase)) return static_cast<size_t>(at - data.data());
  }
  return kNotFound;
}

}  // namespace vong::detect
