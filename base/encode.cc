#include "base/encode.h"

namespace vong {
namespace {

constexpr char kHex[] = "0123456789abcdef";

char continuation(char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); }

}  // namespace

void append_hex(std::string& out, Bytes bytes) {
  for (const uint8_t b : bytes) {
    out.push_back(kHex[b >> 4]);
    out.push_back(kHex[b & 15]);
  }
}

std::string hex_of(Bytes bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  append_hex(out, bytes);
  return out;
}

std::string hex_of(Bytes bytes, char separator) {
  std::string out;
  out.reserve(bytes.size() * 3);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out.push_back(separator);
    append_hex(out, bytes.subspan(i, 1));
  }
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
    return;
  }
  if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
  } else {
    if (c < 0x10000) {
      out.push_back(static_cast<char>(0xe0 | c >> 12));
    } else {
      out.push_back(static_cast<char>(0xf0 | (c >> 18 & 7)));
      out.push_back(continuation(c >> 12));
    }
    out.push_back(continuation(c >> 6));
  }
  out.push_back(continuation(c));
}

}  // namespace vong
