#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace vong {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr size_t kNumberMax = 20, kRealMax = 40, kAddressMax = 40;   // characters

// 0: copy as it is; 1: needs an escape; 2: first byte of a multi-byte UTF-8 sequence or an invalid byte.
constexpr std::array<uint8_t, 256> kClass = [] {
  std::array<uint8_t, 256> c{};
  for (int i = 0; i < 0x20; ++i) c[i] = 1;
  c['"'] = c['\\'] = 1;
  c[0x7f] = 1;
  for (int i = 0x80; i < 0x100; ++i) c[i] = 2;
  return c;
}();

// Length of the valid UTF-8 sequence at `p` (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), 0 if there is none.
size_t utf8_length(const uint8_t* p, size_t n) {
  const auto tail = [&](size_t i) { return i < n && (p[i] & 0xc0) == 0x80; };
  if (p[0] >= 0xc2 && p[0] <= 0xdf) return tail(1) ? 2 : 0;
  if ((p[0] & 0xf0) == 0xe0) {
    if (!tail(1) || !tail(2)) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    if (p[0] == 0xed && p[1] > 0x9f) return 0;
    return 3;
  }
  if (p[0] >= 0xf0 && p[0] <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
    return 4;
  }
  return 0;
}

bool is_valid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t i = 0; i < text.size();) {
    if (p[i] < 0x80) {
      ++i;
      continue;
    }
    const size_t n = utf8_length(p + i, text.size() - i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}

void append_escape(std::string& out, uint8_t c) {
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\b': out.append("\\b"); return;
    case '\f': out.append("\\f"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default:
      out.append("\\u00");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
  }
}

// How many bytes from the start on are copied as they are, in steps of eight: none of them is of a class but 0. At least the first special byte's place
// rounded down.
size_t plain_prefix(const uint8_t* p, size_t n) {
  constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t w;
    std::memcpy(&w, p + i, sizeof w);
    // Zero bytes of x are found by (x - kOnes) & ~x & kHigh (with false hits only behind a true one); bytes below 0x20 alike; 0x7f is the only one
    // below 0x80 whose successor has the high bit.
    const auto zero = [](uint64_t x) { return (x - kOnes) & ~x; };
    const uint64_t special = w | (w + kOnes) | zero(w ^ kOnes * '"') | zero(w ^ kOnes * '\\') | ((w - kOnes * 0x20) & ~w);
    if ((special & kHigh) != 0) break;
  }
  return i;
}

}  // namespace

void JsonWriter::append_escaped(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  size_t start = 0;
  bool valid = true, checked = false;
  for (size_t i = plain_prefix(p, text.size()); i < text.size(); ++i) {
    const uint8_t cls = kClass[p[i]];
    if (cls == 0) [[likely]]
      continue;
    if (cls == 2) {
      if (!checked) {
        valid = is_valid_utf8(text.substr(i));
        checked = true;
      }
      if (valid) continue;
    }
    out_.append(text.substr(start, i - start));
    start = i + 1;
    if (cls == 2) {
      out_.append("\\\\x");
      out_.push_back(kHex[p[i] >> 4]);
      out_.push_back(kHex[p[i] & 15]);
    } else {
      append_escape(out_, p[i]);
    }
  }
  out_.append(text.substr(start));
}

void JsonWriter::string(std::string_view text) {
  begin_value();
  out_.push_back('"');
  append_escaped(text);
  out_.push_back('"');
  need_comma_ = true;
}

void JsonWriter::key_escaped(std::string_view key) {
  string(key);
  out_.push_back(':');
  need_comma_ = false;
}

void JsonWriter::hex(Bytes bytes) {
  begin_value();
  out_.push_back('"');
  for (const uint8_t b : bytes) {
    out_.push_back(kHex[b >> 4]);
    out_.push_back(kHex[b & 15]);
  }
  out_.push_back('"');
  need_comma_ = true;
}

void JsonWriter::base64(Bytes bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  begin_value();
  out_.push_back('"');
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    const uint32_t v = static_cast<uint32_t>(bytes[i]) << 16 | (n > 1 ? static_cast<uint32_t>(bytes[i + 1]) << 8 : 0u) |
                       (n > 2 ? bytes[i + 2] : 0u);
    out_.push_back(kAlphabet[v >> 18]);
    out_.push_back(kAlphabet[v >> 12 & 63]);
    out_.push_back(n > 1 ? kAlphabet[v >> 6 & 63] : '=');
    out_.push_back(n > 2 ? kAlphabet[v & 63] : '=');
  }
  out_.push_back('"');
  need_comma_ = true;
}

void JsonWriter::printable(Bytes bytes) {
  begin_value();
  out_.push_back('"');
  for (const uint8_t b : bytes) {
    if (b == '"' || b == '\\' || b == '\r' || b == '\n') append_escape(out_, b);
    else out_.push_back(b >= 0x20 && b < 0x7f ? static_cast<char>(b) : '.');
  }
  out_.push_back('"');
  need_comma_ = true;
}

void JsonWriter::number(uint64_t value) {
  put_value(kNumberMax, [&](char* to) { return std::to_chars(to, to + kNumberMax, value).ptr; });
}

void JsonWriter::number(int64_t value) {
  put_value(kNumberMax, [&](char* to) { return std::to_chars(to, to + kNumberMax, value).ptr; });
}

void JsonWriter::real(double value) {
  if (!std::isfinite(value)) return null();
  put_value(kRealMax, [&](char* to) { return std::to_chars(to, to + kRealMax, value).ptr; });
}

void JsonWriter::address(const IpAddress& address) {
  put_value(kAddressMax + 2, [&](char* to) {
    *to++ = '"';
    to += address.format(to);
    *to++ = '"';
    return to;
  });
}

void JsonWriter::time(Timestamp t) {
  put_value(kEveTimeSize + 2, [&](char* to) {
    *to++ = '"';
    format_eve_time(t, to);
    to += kEveTimeSize;
    *to++ = '"';
    return to;
  });
}

}  // namespace vong
