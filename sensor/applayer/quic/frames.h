// Frames of Initial packets: CRYPTO (RFC 9000 section 19.6) and the STREAM frames by which Google's
// versions carried their handshake.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace vong::quic {

struct CryptoPiece {
  uint64_t offset = 0;
  Bytes data;  // of the packet's payload
};
// A handshake message of Google's versions: tags with their values, in order.
using Tags = std::vector<std::pair<std::string, std::string>>;

struct Frames {
  std::vector<CryptoPiece> crypto;
  std::vector<Tags> tags;
};

// Reads up to the first frame that an Initial packet has no business with. Nothing: a frame is cut
// off.
[[nodiscard]] std::optional<Frames> read_frames(Bytes payload);

// What CRYPTO frames of one direction have brought, in any order, over packets. Caps:
// kCryptoBytesMax (of what is joined, and of what waits), kCryptoPiecesMax.
class CryptoStream {
 public:
  // False: beyond a cap; everything is dropped.
  [[nodiscard]] bool add(const CryptoPiece& piece);
  // From the beginning up to the first hole.
  [[nodiscard]] Bytes contiguous() const { return as_bytes(joined_); }
  [[nodiscard]] bool empty() const { return joined_.empty() && waiting_.empty(); }
  void clear();

 private:
  std::string joined_;
  std::vector<std::pair<uint64_t, std::string>> waiting_;  // by offset
  size_t waiting_bytes_ = 0;
};

}  // namespace vong::quic
