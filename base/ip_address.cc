#include "base/ip_address.h"

#include <arpa/inet.h>

namespace vong {
namespace {

constexpr char kHex[] = "0123456789abcdef";

size_t format_v4(const uint8_t* b, char* out) {
  char* p = out;
  for (int i = 0; i < 4; ++i) {
    if (i) *p++ = '.';
    if (b[i] >= 100) *p++ = static_cast<char>('0' + b[i] / 100);
    if (b[i] >= 10) *p++ = static_cast<char>('0' + b[i] / 10 % 10);
    *p++ = static_cast<char>('0' + b[i] % 10);
  }
  return static_cast<size_t>(p - out);
}

// A dotted quad as inet_pton takes it: four numbers of one to three digits up to 255, no leading
// zeros. Most addresses that are read are one, and come by the million.
bool parse_v4(std::string_view text, uint8_t* out) {
  const char *p = text.data(), *const end = p + text.size();
  const auto digit = [&] { return static_cast<unsigned>(static_cast<uint8_t>(*p)) - '0'; };
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (p == end || *p++ != '.')) return false;
    if (p == end) return false;
    unsigned value = digit();
    if (value > 9) return false;
    ++p;
    if (value != 0 && p != end && digit() <= 9) {
      value = value * 10 + digit();
      ++p;
      if (p != end && digit() <= 9) {
        value = value * 10 + digit();
        ++p;
      }
    }
    if (value > 255) return false;
    out[part] = static_cast<uint8_t>(value);
  }
  return p == end;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  uint8_t quad[4];
  if (parse_v4(text, quad)) return v4(quad);
  if (text.find(':') == text.npos) return std::nullopt;
  char buffer[48];
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = 0;
  uint8_t raw[16];
  if (inet_pton(AF_INET6, buffer, raw) == 1) return v6(raw);
  return std::nullopt;
}

size_t IpAddress::format(char* out) const {
  if (family_ == 4) return format_v4(bytes_.data(), out);
  if (family_ != 6) return 0;
  char* p = out;
  for (int i = 0; i < 16; ++i) {
    if (i && i % 2 == 0) *p++ = ':';
    *p++ = kHex[bytes_[i] >> 4];
    *p++ = kHex[bytes_[i] & 15];
  }
  return static_cast<size_t>(p - out);
}

std::string IpAddress::to_string() const {
  char buffer[40];
  return {buffer, format(buffer)};
}

}  // namespace vong
