#include "sensor/applayer/core/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/encode.h"

namespace vong::applayer {
namespace {

template <size_t kSize>
std::array<uint8_t, kSize> digest(const EVP_MD* kind, Bytes data) {
  std::array<uint8_t, kSize> out{};
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), out.data(), &size, kind, nullptr);
  return out;
}

}  // namespace

std::string md5_hex(Bytes data) { return hex_of(digest<16>(EVP_md5(), data)); }
std::string sha256_hex(Bytes data) { return hex_of(digest<32>(EVP_sha256(), data)); }
std::string sha1_colons(Bytes data) { return hex_of(digest<20>(EVP_sha1(), data), ':'); }

}  // namespace vong::applayer
