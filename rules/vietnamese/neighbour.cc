#include "rules/vietnamese/neighbour.h"

#include <string_view>

namespace vong::vietnamese {
namespace {

constexpr int kMaxOrnaments = 64;
constexpr char32_t kBroken = 0xfffd;

bool little(Encoding e) { return e != Encoding::kUtf16Be; }
bool is_utf8(Encoding e) { return e == Encoding::kUtf8 || e == Encoding::kTcvn3InUtf8 || e == Encoding::kVniInUtf8; }

char32_t unit(Encoding e, Bytes data, size_t at) {
  const char32_t a = data[at], b = data[at + 1];
  return little(e) ? a | b << 8 : a << 8 | b;
}

bool is_space(char32_t c) { return c == ' ' || c == '\t' || c == 0xa0 || c == 0x200b || c == 0xfeff; }
bool is_ornament(char32_t c) {
  switch (c) {
    case '-': case '*': case '.': case ':': case '_': case '=': case '[': case ']': case '(': case ')': case '"': case '|': case '+': case '#':
    case 0x2013: case 0x2014: case 0x201c: case 0x201d: return true;
    default: return is_space(c);
  }
}
// NUL and what begins or ends a tag part text from what is not text.
bool ends_line(char32_t c, bool backwards) {
  return c == '\n' || c == '\r' || c == 0 || c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029 || c == (backwards ? U'>' : U'<');
}

size_t width_at(Encoding e, Bytes data, size_t at) {
  if (unit_bytes(e) == 2) return 2;
  if (!is_utf8(e)) return 1;
  const auto c = decode_utf8(as_text(data), at);
  return c ? c->second - at : 1;
}

// Where the character that ends right before `at` begins.
size_t begin_before(Encoding e, Bytes data, size_t at) {
  if (unit_bytes(e) == 2) return at - 2;
  size_t begin = at - 1;
  if (!is_utf8(e)) return begin;
  while (begin > 0 && at - begin < 4 && (data[begin] & 0xc0) == 0x80) --begin;
  return begin;
}

}  // namespace

std::optional<std::pair<char32_t, size_t>> decode_utf8(std::string_view text, size_t i) {
  if (i >= text.size()) return std::nullopt;
  const auto first = static_cast<uint8_t>(text[i]);
  if (first < 0x80) return std::pair{static_cast<char32_t>(first), i + 1};
  const size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first >= 0xf5 || text.size() - i < length) return std::nullopt;
  char32_t c = first & (0xff >> (length + 1));
  for (size_t k = 1; k < length; ++k) {
    const auto x = static_cast<uint8_t>(text[i + k]);
    if ((x & 0xc0) != 0x80) return std::nullopt;
    c = c << 6 | (x & 0x3f);
  }
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kLeast[length] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff) return std::nullopt;
  return std::pair{c, i + length};
}

Neighbour behind(Encoding e, Bytes data, size_t at) {
  const size_t n = unit_bytes(e);
  if (data.size() < at + n) return std::nullopt;
  if (n == 2) return unit(e, data, at);
  if (!is_utf8(e)) return data[at];
  const auto c = decode_utf8(as_text(data), at);
  return c ? c->first : kBroken;
}

Neighbour before(Encoding e, Bytes data, size_t at) {
  const size_t n = unit_bytes(e);
  if (at < n) return std::nullopt;
  if (n == 2) return unit(e, data, at - 2);
  if (!is_utf8(e)) return data[at - 1];
  const auto c = decode_utf8(as_text(data), begin_before(e, data, at));
  return c && c->second == at ? c->first : kBroken;
}

bool is_word(Encoding e, Neighbour n) {
  if (!n) return false;
  const char32_t c = *n;
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  if (c < 0x80) return false;
  if (is_space(c)) return false;
  if (e == Encoding::kUtf8 || e == Encoding::kUtf16Le || e == Encoding::kUtf16Be) {
    return c < 0x2000 ? c >= 0xc0 : c >= 0x3040 && c != kBroken;   // General Punctuation and symbols part words
  }
  return true;   // all codes of the old sets above ASCII are letters or marks
}

bool extends_letter(Encoding e, Neighbour n) {
  if (!n) return false;
  const char32_t c = *n;
  switch (e) {
    case Encoding::kUtf8: case Encoding::kUtf16Le: case Encoding::kUtf16Be: return shape_of_mark(c) || tone_of_mark(c);
    case Encoding::kWindows1258: return c == 0xcc || c == 0xd2 || c == 0xde || c == 0xec || c == 0xf2;
    case Encoding::kVni: case Encoding::kVniInUtf8: case Encoding::kVniInUtf16: {
      constexpr std::u32string_view kMarks = U"\u00f8\u00fb\u00f5\u00f9\u00ef\u00e2\u00e0\u00e5\u00e3\u00e1\u00e4\u00ea\u00e8\u00fa\u00fc\u00e9\u00eb";
      return kMarks.find(c >= 0xc0 && c < 0xe0 ? c + 0x20 : c) != std::u32string_view::npos;
    }
    case Encoding::kViqr: return c == '^' || c == '`' || c == '~' || c == '+';
    default: return false;
  }
}

bool line_ends_behind(Encoding e, Bytes data, size_t at) {
  for (int i = 0; i < kMaxOrnaments; ++i) {
    const Neighbour c = behind(e, data, at);
    if (!c || ends_line(*c, false)) return true;
    if (!is_ornament(*c)) return false;
    at += width_at(e, data, at);
  }
  return false;
}

bool line_ends_before(Encoding e, Bytes data, size_t at) {
  for (int i = 0; i < kMaxOrnaments; ++i) {
    const Neighbour c = before(e, data, at);
    if (!c || ends_line(*c, true)) return true;
    if (!is_ornament(*c)) return false;
    at = begin_before(e, data, at);
  }
  return false;
}

}  // namespace vong::vietnamese
