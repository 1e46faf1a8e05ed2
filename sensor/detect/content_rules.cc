#include "sensor/detect/content_rules.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace vong::detect {
namespace {

constexpr size_t kMd5HexBytes = 32;
constexpr size_t kSha1ColonBytes = 59;   // 20 bytes in hex with colons between
constexpr size_t kSerialAloneBytes = 2;  // one byte has no colon

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

ContentForm hash(std::string_view bytes, bool) {
  if (bytes.size() != kMd5HexBytes) return {{}, "the hash is 32 digits long, so this never matches"};
  return {to_lower(bytes), {}};
}

ContentForm strict_hash(std::string_view bytes, bool) {
  if (bytes.size() != kMd5HexBytes || !std::ranges::all_of(bytes, is_hex))
    return {{}, "the hash is 32 hexadecimal digits in lower case, so this never matches"};
  return {};
}

ContentForm fingerprint(std::string_view bytes, bool) {
  if (bytes.size() != kSha1ColonBytes || bytes.find(':') == std::string_view::npos)
    return {{}, "the fingerprint is 20 bytes in hex with colons between, so this never matches"};
  return {to_lower(bytes), {}};
}

ContentForm serial(std::string_view bytes, bool) {
  if (bytes.size() > kSerialAloneBytes && bytes.find(':') == std::string_view::npos)
    return {{}, "the serial number has colons between its bytes, so this never matches"};
  return {to_upper(bytes), {}};
}

ContentForm host(std::string_view bytes, bool nocase) {
  if (nocase) return {{}, "the host name is kept in lower case: nocase has no use here"};
  if (std::ranges::any_of(bytes, is_upper))
    return {{}, "the host name is kept in lower case, so upper case never matches"};
  return {};
}

ContentForm method(std::string_view bytes, bool) {
  if (!bytes.empty() && (is_blank(bytes.front()) || is_blank(bytes.back())))
    return {{}, "a method has no space around it, so this never matches"};
  return {};
}

struct Row {
  std::string_view buffer;
  ContentForm (*form)(std::string_view bytes, bool nocase);
};
constexpr auto kRows = std::to_array<Row>({
    {"http.host", host},
    {"http.method", method},
    {"ja3.hash", hash},
    {"ja3s.hash", hash},
    {"quic.cyu.hash", strict_hash},
    {"ssh.hassh", hash},
    {"ssh.hassh.server", hash},
    {"tls.cert_fingerprint", fingerprint},
    {"tls.cert_serial", serial},
});

}  // namespace

ContentForm content_in(std::string_view buffer, std::string_view bytes, bool nocase) {
  const auto row = std::ranges::find(kRows, buffer, &Row::buffer);
  return row == kRows.end() ? ContentForm() : row->form(bytes, nocase);
}

}  // namespace vong::detect
