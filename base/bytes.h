// Byte spans: the one shape in which bytes travel between rooms.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vong {

// A view of bytes that somebody else owns. The function that hands one out says how long it lives.
using Bytes = std::span<const uint8_t>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vong
