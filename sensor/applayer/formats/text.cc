#include "sensor/applayer/formats/text.h"

#include "base/encode.h"

#include <array>

namespace vong::formats {
namespace {

constexpr size_t kUuidBytes = 16;

std::string grouped(Bytes uuid, const std::array<uint8_t, kUuidBytes>& order) {
  std::string out;
  if (uuid.size() != kUuidBytes) return out;
  out.reserve(36);
  for (size_t i = 0; i < kUuidBytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    append_hex(out, uuid.subspan(order[i], 1));
  }
  return out;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string without_zeros(Bytes text) {
  std::string out;
  out.reserve(text.size() / 2);
  for (const uint8_t b : text) {
    if (b != 0) out.push_back(static_cast<char>(b));
  }
  return out;
}

std::string uuid_text(Bytes uuid) {
  return grouped(uuid, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
}

std::string guid_text(Bytes guid) {
  return grouped(guid, {3, 2, 1, 0, 5, 4, 7, 6, 9, 8, 11, 10, 15, 14, 13, 12});
}

std::string parse_uuid(std::string_view text) {
  std::string out;
  if (text.size() != 36) return out;
  for (size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return {};
      ++i;
      continue;
    }
    const int high = nibble(text[i]), low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return {};
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return out;
}

}  // namespace vong::formats
