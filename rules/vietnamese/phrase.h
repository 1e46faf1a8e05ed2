// A Vietnamese phrase as it may stand in any encoding met in government files: what `vn_text` makes of a content.
//
// A phrase is a row of letters; in each encoding each letter has a few spellings (letter case, composed or not, with or without marks).
// Finding it needs no decoding of the data: one pass per encoding over the bytes. Immutable, any thread.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "rules/vietnamese/encodings.h"

namespace vong::vietnamese {

struct PhraseOptions {
  CaseRule letter_case = CaseRule::kAny;
  bool unmarked = false;      // also without any marks: "toi mat" for "tối mật"
  bool word = false;          // no letter or digit right before or behind it
  bool alone = false;         // nothing but it on its line: spaces and ornaments (- * . : _ =) apart
};

struct Found {
  size_t at = kNone;
  size_t length = 0;
  Encoding encoding = Encoding::kUtf8;
  static constexpr size_t kNone = ~size_t{0};
  explicit operator bool() const { return at != kNone; }
};

class Phrase {
 public:
  static constexpr size_t kMaxCharacters = 64;
  // How many literals one phrase may put into a pattern set.
  static constexpr size_t kMaxLiterals = 64;

  // `text`: UTF-8, composed or not, not empty. Errors: not UTF-8, too long, too short to be told from noise (less than 3 characters).
  [[nodiscard]] static Result<Phrase> make(std::string_view text, const PhraseOptions& options);

  // The first place in data[from, to) where the phrase lies whole, in any encoding; of two at one place the longer. Work: at most
  // (to - from) x encodings x characters of the phrase.
  [[nodiscard]] Found find(Bytes data, size_t from, size_t to) const;

  // Byte strings of which every occurrence holds at least one; letter case of ASCII left out (match them without case).
  [[nodiscard]] const std::vector<std::string>& literals() const { return literals_; }
  // Bytes of the shortest spelling of the whole.
  [[nodiscard]] size_t min_length() const { return min_length_; }

 private:
  using Glyph = std::vector<std::string>;            // the spellings of one letter
  struct Spelling {
    Encoding encoding;
    std::vector<Glyph> glyphs;
  };
  struct Literals {
    std::vector<std::string> all;
    size_t min_length = 0;
  };

  [[nodiscard]] bool spell(const std::u32string& text, Encoding e, Spelling& out) const;
  void choose_literals();
  [[nodiscard]] static Literals literals_of(const Spelling& s);
  [[nodiscard]] static size_t match(const Spelling& s, Bytes data, size_t at, size_t to);
  [[nodiscard]] bool bounds_fit(Encoding e, Bytes data, size_t begin, size_t end) const;

  PhraseOptions options_;
  std::vector<Spelling> spellings_;
  std::array<std::bitset<kEncodings>, 256> starts_;   // which encodings' spellings can begin with this byte
  std::vector<std::string> literals_;
  size_t min_length_ = 0;
};

}  // namespace vong::vietnamese
