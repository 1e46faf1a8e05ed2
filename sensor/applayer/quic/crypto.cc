#include "sensor/applayer/quic/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace vong::quic {
namespace {

using Salt = std::array<uint8_t, 20>;
using Secret = std::array<uint8_t, 32>;

constexpr Salt kSalt1 = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                         0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
constexpr Salt kSalt2 = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                         0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};
constexpr Salt kSaltDraft29 = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
                               0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
constexpr Salt kSaltDraft23 = {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
                               0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02};

const Salt* salt_of(uint32_t version) {
  if (version == kVersion1) return &kSalt1;
  if (version == kVersion2) return &kSalt2;
  if (version == 0xfaceb002) return &kSaltDraft23;  // mvfst
  if (version >> 8 == 0xff0000) {
    const uint32_t draft = version & 0xff;
    if (draft >= 29 && draft <= 34) return &kSaltDraft29;
    if (draft >= 23 && draft <= 28) return &kSaltDraft23;
  }
  return nullptr;
}

Secret hmac(Bytes key, Bytes data) {
  Secret out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(),
       &size);
  return out;
}

// HKDF-Expand-Label (RFC 8446 section 7.1) for outputs of one hash at most.
template <size_t N>
void expand(const Secret& secret, std::string_view label, std::array<uint8_t, N>& out) {
  static_assert(N <= 32);
  std::string info{'\0', static_cast<char>(N)};
  info.push_back(static_cast<char>(6 + label.size()));
  info.append("tls13 ").append(label);
  info.append({'\0', '\x01'});  // no context; the first block
  const Secret block = hmac(secret, as_bytes(info));
  std::copy_n(block.begin(), N, out.begin());
}

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

constexpr size_t kSampleBytes = 16, kTagBytes = 16, kNumberBytesMax = 4;

bool header_mask(const SideKeys& keys, const uint8_t* sample, std::array<uint8_t, 32>& mask) {
  const Context c(EVP_CIPHER_CTX_new());
  int n = 0;
  return c != nullptr &&
         EVP_EncryptInit_ex(c.get(), EVP_aes_128_ecb(), nullptr, keys.header.data(), nullptr) ==
             1 &&
         EVP_EncryptUpdate(c.get(), mask.data(), &n, sample, kSampleBytes) == 1;
}

}  // namespace

std::optional<InitialKeys> initial_keys(uint32_t version, Bytes destination_id) {
  const Salt* salt = salt_of(version);
  if (salt == nullptr) return std::nullopt;
  const Secret initial = hmac(*salt, destination_id);
  const std::string prefix = version == kVersion2 ? "quicv2 " : "quic ";
  InitialKeys keys;
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    Secret side{};
    expand(initial, d == Direction::kToServer ? "client in" : "server in", side);
    SideKeys& k = keys.sides[static_cast<size_t>(index(d))];
    expand(side, prefix + "key", k.key);
    expand(side, prefix + "iv", k.iv);
    expand(side, prefix + "hp", k.header);
  }
  return keys;
}

std::optional<std::string> decrypt(const SideKeys& keys, const PacketHeader& header, Bytes packet) {
  // Section 5.4.2: the sample stands where the payload begins behind a packet number of four bytes.
  if (header.payload_bytes < kNumberBytesMax + kSampleBytes) return std::nullopt;
  const uint8_t* at = packet.data() + header.header_bytes;
  std::array<uint8_t, 32> mask{};
  if (!header_mask(keys, at + kNumberBytesMax, mask)) return std::nullopt;
  std::string clear_header(as_text(packet.first(header.header_bytes + kNumberBytesMax)));
  clear_header[0] = static_cast<char>(static_cast<uint8_t>(clear_header[0]) ^ (mask[0] & 0x0f));
  const size_t number_bytes = (static_cast<uint8_t>(clear_header[0]) & 3u) + 1;
  clear_header.resize(header.header_bytes + number_bytes);
  std::array<uint8_t, 12> nonce = keys.iv;
  for (size_t i = 0; i < number_bytes; ++i) {
    const auto b = static_cast<uint8_t>(at[i] ^ mask[1 + i]);
    clear_header[header.header_bytes + i] = static_cast<char>(b);
    nonce[nonce.size() - number_bytes + i] ^= b;  // the first packets: the number is not truncated
  }
  const uint8_t* body = at + number_bytes;
  const size_t body_bytes = header.payload_bytes - number_bytes - kTagBytes;
  std::string out(body_bytes, '\0');
  std::array<uint8_t, kTagBytes> tag{};
  std::memcpy(tag.data(), body + body_bytes, kTagBytes);
  const Context c(EVP_CIPHER_CTX_new());
  int n = 0;
  const bool good =
      c != nullptr &&
      EVP_DecryptInit_ex(c.get(), EVP_aes_128_gcm(), nullptr, keys.key.data(), nonce.data()) == 1 &&
      EVP_DecryptUpdate(c.get(), nullptr, &n, as_bytes(clear_header).data(),
                        static_cast<int>(clear_header.size())) == 1 &&
      EVP_DecryptUpdate(c.get(), reinterpret_cast<uint8_t*>(out.data()), &n, body,
                        static_cast<int>(body_bytes)) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(c.get(), reinterpret_cast<uint8_t*>(out.data()) + n, &n) == 1;
  if (!good) return std::nullopt;
  return out;
}

}  // namespace vong::quic
