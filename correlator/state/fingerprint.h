// 128 bits that stand for a group key. Keyed with random numbers of the process, so nobody outside
// can aim two keys at one fingerprint; at a million keys the chance of an accident is below 10^-26.
// Never written anywhere: other processes and other runs have other fingerprints of the same key.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace vong::state {

struct Fingerprint {
  uint64_t low = 0, high = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Fingerprint& f) {
    return H::combine(std::move(h), f.low);
  }
};

namespace internal {

struct FingerprintSeeds {
  uint64_t value[4];
  FingerprintSeeds() {
    std::random_device device;
    for (uint64_t& v : value) v = (static_cast<uint64_t>(device()) << 32 | device()) | 1;
  }
};

inline uint64_t folded_multiply(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace internal

// Two lanes of multiply-and-fold over 16 bytes a step, each lane with its own seeds.
[[nodiscard]] inline Fingerprint fingerprint_of(std::string_view key) {
  static const internal::FingerprintSeeds seeds;
  uint64_t a = seeds.value[0] ^ key.size(), b = seeds.value[1] ^ key.size();
  const char* p = key.data();
  size_t left = key.size();
  while (left > 0) {
    uint64_t words[2] = {0, 0};
    const size_t n = left < 16 ? left : 16;
    std::memcpy(words, p, n);
    a = internal::folded_multiply(words[0] ^ a, words[1] ^ seeds.value[2]);
    b = internal::folded_multiply(words[0] ^ seeds.value[3], words[1] ^ b);
    p += n;
    left -= n;
  }
  return {internal::folded_multiply(a, seeds.value[3]) ^ b,
          internal::folded_multiply(b, seeds.value[2]) ^ a};
}

}  // namespace vong::state
