#include "sensor/applayer/tls/fingerprint.h"

#include "sensor/applayer/core/digest.h"

#include <algorithm>
#include <array>

#include "fmt/format.h"

namespace vong::tls {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr uint16_t kSni = 0, kAlpn = 16;

void join_decimal(std::string& out, const std::vector<uint16_t>& values) {
  bool first = true;
  for (const uint16_t v : values) {
    if (is_grease(v)) continue;
    if (!first) out.push_back('-');
    fmt::format_to(std::back_inserter(out), "{}", v);
    first = false;
  }
}

std::string join_hex(const std::vector<uint16_t>& values) {
  std::string out;
  for (const uint16_t v : values) {
    if (!out.empty()) out.push_back(',');
    fmt::format_to(std::back_inserter(out), "{:04x}", v);
  }
  return out;
}

std::vector<uint16_t> without_grease(const std::vector<uint16_t>& values) {
  std::vector<uint16_t> out;
  std::copy_if(values.begin(), values.end(), std::back_inserter(out),
               [](uint16_t v) { return !is_grease(v); });
  return out;
}

std::string_view ja4_version(uint16_t v) {
  switch (v) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    case 0x0200:
    case 0x0002:
      return "s2";
    case 0x0100:
      return "s1";
    case 0xfeff:
      return "d1";
    case 0xfefd:
      return "d2";
    case 0xfefc:
      return "d3";
    default:
      return "00";
  }
}

bool is_alnum(uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// First and last character of the first ALPN; of its hexadecimal form when one of them is not
// alphanumeric.
std::string ja4_alpn(const ClientHello& hello) {
  if (hello.alpns.empty()) return "00";
  const Bytes name = as_bytes(hello.alpns.front());
  if (name.empty()) return "00";
  const uint8_t first = name.front(), last = name.back();
  if (name.size() == 2 && is_grease(static_cast<uint16_t>(first << 8 | last))) return "00";
  if (is_alnum(first) && is_alnum(last)) return {static_cast<char>(first), static_cast<char>(last)};
  return {kHex[first >> 4], kHex[last & 15]};
}

std::string short_hash(const std::string& text) {
  return text.empty() ? std::string(12, '0') : applayer::sha256_hex(as_bytes(text)).substr(0, 12);
}

}  // namespace

std::string ja3_string(const ClientHello& hello) {
  std::string out = std::to_string(hello.version) + ",";
  join_decimal(out, hello.ciphers);
  out.push_back(',');
  join_decimal(out, hello.extensions);
  out.push_back(',');
  join_decimal(out, hello.groups);
  out.push_back(',');
  join_decimal(out, {hello.point_formats.begin(), hello.point_formats.end()});
  return out;
}

std::string ja3s_string(const ServerHello& hello) {
  std::string out = fmt::format("{},{},", hello.version, hello.cipher);
  join_decimal(out, hello.extensions);
  return out;
}

std::string ja4(const ClientHello& hello, char transport) {
  std::vector<uint16_t> ciphers = without_grease(hello.ciphers),
                        extensions = without_grease(hello.extensions);
  std::string out =
      fmt::format("{}{}{}{:02}{:02}{}_", transport, ja4_version(hello.offered_version()),
                  hello.has_sni ? 'd' : 'i', std::min<size_t>(ciphers.size(), 99),
                  std::min<size_t>(extensions.size(), 99), ja4_alpn(hello));
  std::sort(ciphers.begin(), ciphers.end());
  out += short_hash(join_hex(ciphers)) + "_";
  std::erase_if(extensions, [](uint16_t v) { return v == kSni || v == kAlpn; });
  std::sort(extensions.begin(), extensions.end());
  std::string rest = join_hex(extensions);
  if (!hello.signature_algorithms.empty())
    rest += "_" + join_hex(without_grease(hello.signature_algorithms));
  return out + short_hash(rest);
}

}  // namespace vong::tls
