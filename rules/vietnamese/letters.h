// Vietnamese letters taken apart: a base letter, what shapes it (circumflex, breve, horn, stroke) and its tone. Unicode 15, chapter 7.1;
// TCVN 6909:2001 names the same letters.
#pragma once

#include <cstdint>
#include <optional>

namespace vong::vietnamese {

enum class Shape : uint8_t { kNone, kCircumflex, kBreve, kHorn, kStroke };
enum class Tone : uint8_t { kNone, kGrave, kHook, kTilde, kAcute, kDot };
inline constexpr int kTones = 6;

struct Letter {
  char base = 0;                 // lower case: a d e i o u y
  Shape shape = Shape::kNone;
  Tone tone = Tone::kNone;
  bool upper = false;
  [[nodiscard]] bool marked() const { return shape != Shape::kNone || tone != Tone::kNone; }
};

// The letter that a precomposed character stands for (also a plain a d e i o u y); nothing for other characters.
[[nodiscard]] std::optional<Letter> letter_of(char32_t c);
// The precomposed character of a letter; 0 where Vietnamese has no such letter (a horn on an a).
[[nodiscard]] char32_t character_of(const Letter& letter);

// Combining marks: what a mark that stands by itself adds to the letter before it.
[[nodiscard]] std::optional<Shape> shape_of_mark(char32_t c);
[[nodiscard]] std::optional<Tone> tone_of_mark(char32_t c);
[[nodiscard]] char32_t mark_of(Shape shape);   // 0 for none and for the stroke, which never stands apart
[[nodiscard]] char32_t mark_of(Tone tone);     // 0 for none

}  // namespace vong::vietnamese
