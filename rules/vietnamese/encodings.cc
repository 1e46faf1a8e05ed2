#include "rules/vietnamese/encodings.h"

#include "base/encode.h"

#include <algorithm>

namespace vong::vietnamese {
namespace {

using Characters = std::u32string;   // what one spelling is made of, before it becomes bytes

// TCVN 5712:1993 VN3. Rows by letter, columns by Tone; 0: plain ASCII.
struct Tcvn3Row {
  char base;
  Shape shape;
  std::array<uint8_t, kTones> lower;
  uint8_t upper;                       // of the letter without a tone, the only upper case there is
};
constexpr std::array kTcvn3 = {
    Tcvn3Row{'a', Shape::kNone, {0, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9}, 0},
    Tcvn3Row{'a', Shape::kBreve, {0xa8, 0xbb, 0xbc, 0xbd, 0xbe, 0xc6}, 0xa1},
    Tcvn3Row{'a', Shape::kCircumflex, {0xa9, 0xc7, 0xc8, 0xc9, 0xca, 0xcb}, 0xa2},
    Tcvn3Row{'e', Shape::kNone, {0, 0xcc, 0xce, 0xcf, 0xd0, 0xd1}, 0},
    Tcvn3Row{'e', Shape::kCircumflex, {0xaa, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6}, 0xa3},
    Tcvn3Row{'i', Shape::kNone, {0, 0xd7, 0xd8, 0xdc, 0xdd, 0xde}, 0},
    Tcvn3Row{'o', Shape::kNone, {0, 0xdf, 0xe1, 0xe2, 0xe3, 0xe4}, 0},
    Tcvn3Row{'o', Shape::kCircumflex, {0xab, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9}, 0xa4},
    Tcvn3Row{'o', Shape::kHorn, {0xac, 0xea, 0xeb, 0xec, 0xed, 0xee}, 0xa5},
    Tcvn3Row{'u', Shape::kNone, {0, 0xef, 0xf1, 0xf2, 0xf3, 0xf4}, 0},
    Tcvn3Row{'u', Shape::kHorn, {0xad, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9}, 0xa6},
    Tcvn3Row{'y', Shape::kNone, {0, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe}, 0},
    Tcvn3Row{'d', Shape::kStroke, {0xae, 0, 0, 0, 0, 0}, 0xa7},
};

// VNI-Windows: a letter and behind it one code for shape and tone together. Columns by Tone, the first for the shape alone.
constexpr std::array<uint8_t, kTones> kVniPlain = {0, 0xf8, 0xfb, 0xf5, 0xf9, 0xef};
constexpr std::array<uint8_t, kTones> kVniCircumflex = {0xe2, 0xe0, 0xe5, 0xe3, 0xe1, 0xe4};
constexpr std::array<uint8_t, kTones> kVniBreve = {0xea, 0xe8, 0xfa, 0xfc, 0xe9, 0xeb};
// Letters that are one code by themselves.
constexpr std::array<uint8_t, kTones> kVniI = {0, 0xec, 0xe6, 0xf3, 0xed, 0xf2};
constexpr uint8_t kVniHornO = 0xf4, kVniHornU = 0xf6, kVniStroke = 0xf1, kVniDotY = 0xee;

constexpr std::array<char, kTones> kViqrTone = {0, '`', '?', '~', '\'', '.'};

char32_t cased(char32_t c, bool upper) { return upper ? c - 0x20 : c; }
char32_t base_of(const Letter& l) { return cased(static_cast<char32_t>(l.base), l.upper); }
size_t at(Tone t) { return static_cast<size_t>(t); }

// Precomposed, taken apart in either order of marks, and half taken apart (ê and a mark).
std::vector<Characters> unicode(const Letter& l) {
  std::vector<Characters> all{{character_of(l)}};
  const char32_t shape = mark_of(l.shape), tone = mark_of(l.tone);
  if (tone != 0) {
    Letter toneless = l;
    toneless.tone = Tone::kNone;
    all.push_back({character_of(toneless), tone});
  }
  if (shape != 0) {
    all.push_back({base_of(l), shape});
    if (tone != 0) {
      Letter plain = l;
      plain.shape = Shape::kNone;
      all.back().push_back(tone);
      all.push_back({base_of(l), tone, shape});
      all.push_back({character_of(plain), shape});
    }
  }
  return all;
}

// Code page 1258 writes tones behind the letter. A few letters with a tone stand in it ready made, where Latin-1 has them.
std::vector<Characters> windows_1258(const Letter& l) {
  static constexpr std::array<uint8_t, kTones> kMarks = {0, 0xcc, 0xd2, 0xde, 0xec, 0xf2};
  char32_t letter = base_of(l);
  switch (l.shape) {
    case Shape::kCircumflex: letter = cased(l.base == 'a' ? 0xe2 : l.base == 'e' ? 0xea : 0xf4, l.upper); break;
    case Shape::kBreve: letter = cased(0xe3, l.upper); break;
    case Shape::kHorn: letter = l.base == 'o' ? cased(0xf5, l.upper) : cased(0xfd, l.upper); break;
    case Shape::kStroke: letter = cased(0xf0, l.upper); break;
    case Shape::kNone: break;
  }
  if (l.tone == Tone::kNone) return {{letter}};
  std::vector<Characters> all{{letter, kMarks[at(l.tone)]}};
  const char32_t whole = character_of(l);
  const char32_t lower = l.upper ? whole + 0x20 : whole;
  static constexpr std::u32string_view kReady = U"àáèéíóùú";
  if (l.shape == Shape::kNone && kReady.find(lower) != std::u32string_view::npos) all.push_back({whole});
  return all;
}

std::vector<Characters> tcvn3(const Letter& l, CaseRule rule) {
  for (const Tcvn3Row& row : kTcvn3) {
    if (row.base != l.base || row.shape != l.shape) continue;
    const uint8_t lower = row.lower[at(l.tone)];
    if (lower == 0) break;
    std::vector<Characters> all;
    const bool has_upper = l.tone == Tone::kNone && row.upper != 0;
    if (has_upper && (l.upper || rule == CaseRule::kAny)) all.push_back({row.upper});
    // The capitals of the ABC fonts are the small letters' codes in another font.
    all.push_back({lower});
    return all;
  }
  return {{base_of(l)}};
}

std::vector<Characters> vni(const Letter& l) {
  if (l.base == 'd') return {{l.shape == Shape::kStroke ? cased(kVniStroke, l.upper) : base_of(l)}};
  if (l.base == 'i' && l.tone != Tone::kNone) return {{cased(kVniI[at(l.tone)], l.upper)}};
  if (l.base == 'y' && l.tone == Tone::kDot) return {{cased(kVniDotY, l.upper)}};
  char32_t letter = base_of(l);
  uint8_t mark = kVniPlain[at(l.tone)];
  if (l.shape == Shape::kHorn) letter = cased(l.base == 'o' ? kVniHornO : kVniHornU, l.upper);
  if (l.shape == Shape::kCircumflex) mark = kVniCircumflex[at(l.tone)];
  if (l.shape == Shape::kBreve) mark = kVniBreve[at(l.tone)];
  if (mark == 0) return {{letter}};
  return {{letter, cased(mark, l.upper)}};
}

std::vector<Characters> viqr(const Letter& l) {
  std::vector<Characters> starts{{base_of(l)}};
  switch (l.shape) {
    case Shape::kCircumflex: starts[0].push_back('^'); break;
    case Shape::kBreve: starts[0].push_back('('); break;
    case Shape::kHorn:
      starts.push_back(starts[0]);
      starts[0].push_back('+');
      starts[1].push_back('*');   // an older convention
      break;
    case Shape::kStroke:
      starts.push_back(starts[0]);
      starts[0].push_back(base_of(l));
      if (l.upper) starts[1].push_back('d');
      else starts.pop_back();
      break;
    case Shape::kNone: break;
  }
  if (l.tone != Tone::kNone) {
    for (Characters& s : starts) s.push_back(static_cast<char32_t>(kViqrTone[at(l.tone)]));
  }
  return starts;
}

std::string bytes_of(Encoding e, const Characters& text) {
  std::string out;
  for (const char32_t c : text) {
    switch (e) {
      case Encoding::kUtf8: case Encoding::kTcvn3InUtf8: case Encoding::kVniInUtf8: append_utf8(out, c); break;
      case Encoding::kUtf16Le: case Encoding::kTcvn3InUtf16: case Encoding::kVniInUtf16:
        out += static_cast<char>(c & 0xff);
        out += static_cast<char>(c >> 8 & 0xff);
        break;
      case Encoding::kUtf16Be:
        out += static_cast<char>(c >> 8 & 0xff);
        out += static_cast<char>(c & 0xff);
        break;
      default: out += static_cast<char>(c & 0xff); break;
    }
  }
  return out;
}

std::vector<Characters> characters(Encoding e, const Letter& l, CaseRule rule) {
  switch (e) {
    case Encoding::kWindows1258: return windows_1258(l);
    case Encoding::kTcvn3: case Encoding::kTcvn3InUtf8: case Encoding::kTcvn3InUtf16: return tcvn3(l, rule);
    case Encoding::kVni: case Encoding::kVniInUtf8: case Encoding::kVniInUtf16: return vni(l);
    case Encoding::kViqr: return viqr(l);
    default: return unicode(l);
  }
}

bool is_unicode(Encoding e) { return e == Encoding::kUtf8 || e == Encoding::kUtf16Le || e == Encoding::kUtf16Be; }

// TCVN3's sorted spellings must not depend on how they were asked for.
std::vector<std::string> in_order(std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

std::string_view name_of(Encoding e) {
  static constexpr std::array<std::string_view, kEncodings> kNames = {
      "utf-8", "utf-16le", "utf-16be", "windows-1258", "tcvn3", "vni", "viqr", "tcvn3-utf-8", "vni-utf-8", "tcvn3-utf-16", "vni-utf-16"};
  return kNames[static_cast<size_t>(e)];
}

std::vector<std::string> spellings(Encoding e, const Letter& letter, CaseRule rule) {
  std::vector<std::string> all;
  for (const bool upper : {false, true}) {
    if (rule == CaseRule::kAsWritten && upper != letter.upper) continue;
    Letter l = letter;
    l.upper = upper;
    for (const Characters& c : characters(e, l, rule)) all.push_back(bytes_of(e, c));
  }
  return in_order(std::move(all));
}

std::vector<std::string> spellings(Encoding e, char32_t c, CaseRule rule) {
  if (c == U' ') return in_order({bytes_of(e, U" "), bytes_of(e, U"\t"), bytes_of(e, U"\u00a0")});
  if (c >= 0x80 && !is_unicode(e)) return {};
  if (c > 0xffff) return e == Encoding::kUtf8 ? std::vector<std::string>{bytes_of(e, {c})} : std::vector<std::string>{};
  std::vector<std::string> all{bytes_of(e, {c})};
  const bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
  if (rule == CaseRule::kAny && (lower || upper)) all.push_back(bytes_of(e, {lower ? c - 0x20 : c + 0x20}));
  return in_order(std::move(all));
}

}  // namespace vong::vietnamese
