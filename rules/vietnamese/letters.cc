#include "rules/vietnamese/letters.h"

#include <array>

namespace vong::vietnamese {
namespace {

struct Row {
  char base;
  Shape shape;
  std::array<char16_t, kTones> lower;   // by Tone
};

constexpr std::array kRows = {
    Row{'a', Shape::kNone, {u'a', u'à', u'ả', u'ã', u'á', u'ạ'}},
    Row{'a', Shape::kBreve, {u'ă', u'ằ', u'ẳ', u'ẵ', u'ắ', u'ặ'}},
    Row{'a', Shape::kCircumflex, {u'â', u'ầ', u'ẩ', u'ẫ', u'ấ', u'ậ'}},
    Row{'e', Shape::kNone, {u'e', u'è', u'ẻ', u'ẽ', u'é', u'ẹ'}},
    Row{'e', Shape::kCircumflex, {u'ê', u'ề', u'ể', u'ễ', u'ế', u'ệ'}},
    Row{'i', Shape::kNone, {u'i', u'ì', u'ỉ', u'ĩ', u'í', u'ị'}},
    Row{'o', Shape::kNone, {u'o', u'ò', u'ỏ', u'õ', u'ó', u'ọ'}},
    Row{'o', Shape::kCircumflex, {u'ô', u'ồ', u'ổ', u'ỗ', u'ố', u'ộ'}},
    Row{'o', Shape::kHorn, {u'ơ', u'ờ', u'ở', u'ỡ', u'ớ', u'ợ'}},
    Row{'u', Shape::kNone, {u'u', u'ù', u'ủ', u'ũ', u'ú', u'ụ'}},
    Row{'u', Shape::kHorn, {u'ư', u'ừ', u'ử', u'ữ', u'ứ', u'ự'}},
    Row{'y', Shape::kNone, {u'y', u'ỳ', u'ỷ', u'ỹ', u'ý', u'ỵ'}},
    Row{'d', Shape::kNone, {u'd', 0, 0, 0, 0, 0}},
    Row{'d', Shape::kStroke, {u'đ', 0, 0, 0, 0, 0}},
};

// Upper and lower case stand 32 apart in ASCII and Latin-1, and next to each other (even, odd or odd, even) in the later blocks.
char32_t upper_of(char32_t c) {
  if (c < 0x100) return c - 0x20;
  return c - 1;
}

}  // namespace

std::optional<Letter> letter_of(char32_t c) {
  for (const Row& row : kRows) {
    for (size_t t = 0; t < row.lower.size(); ++t) {
      if (row.lower[t] == 0) continue;
      if (c == row.lower[t]) return Letter{row.base, row.shape, static_cast<Tone>(t), false};
      if (c == upper_of(row.lower[t])) return Letter{row.base, row.shape, static_cast<Tone>(t), true};
    }
  }
  return std::nullopt;
}

char32_t character_of(const Letter& letter) {
  for (const Row& row : kRows) {
    if (row.base != letter.base || row.shape != letter.shape) continue;
    const char32_t c = row.lower[static_cast<size_t>(letter.tone)];
    return c == 0 || !letter.upper ? c : upper_of(c);
  }
  return 0;
}

std::optional<Shape> shape_of_mark(char32_t c) {
  switch (c) {
    case 0x0302: return Shape::kCircumflex;
    case 0x0306: return Shape::kBreve;
    case 0x031b: return Shape::kHorn;
    default: return std::nullopt;
  }
}

std::optional<Tone> tone_of_mark(char32_t c) {
  switch (c) {
    case 0x0300: return Tone::kGrave;
    case 0x0309: return Tone::kHook;
    case 0x0303: return Tone::kTilde;
    case 0x0301: return Tone::kAcute;
    case 0x0323: return Tone::kDot;
    default: return std::nullopt;
  }
}

char32_t mark_of(Shape shape) {
  switch (shape) {
    case Shape::kCircumflex: return 0x0302;
    case Shape::kBreve: return 0x0306;
    case Shape::kHorn: return 0x031b;
    default: return 0;
  }
}

char32_t mark_of(Tone tone) {
  switch (tone) {
    case Tone::kGrave: return 0x0300;
    case Tone::kHook: return 0x0309;
    case Tone::kTilde: return 0x0303;
    case Tone::kAcute: return 0x0301;
    case Tone::kDot: return 0x0323;
    default: return 0;
  }
}

}  // namespace vong::vietnamese
