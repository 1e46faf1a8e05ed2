#include "rules/vietnamese/phrase.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "fmt/format.h"
#include "rules/vietnamese/neighbour.h"

namespace vong::vietnamese {
namespace {

struct Character {
  char32_t other = 0;            // when it is no letter of Vietnamese
  std::optional<Letter> letter;
};

// Longest spelling first: at one place the longer reading is the whole letter (ê and a dot below, not ê alone).
void longest_first(std::vector<std::string>& glyph) {
  std::stable_sort(glyph.begin(), glyph.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

// Composes: a base letter takes the marks behind it.
Result<std::vector<Character>> characters_of(std::string_view text) {
  std::vector<Character> all;
  for (size_t i = 0; i < text.size();) {
    const auto decoded = decode_utf8(text, i);
    if (!decoded) return fail(fmt::format("byte {} is not UTF-8", i + 1));
    const char32_t c = decoded->first;
    i = decoded->second;
    const auto shape = shape_of_mark(c);
    const auto tone = tone_of_mark(c);
    if (shape || tone) {
      if (all.empty() || !all.back().letter) return fail("a mark without a letter before it");
      Letter l = *all.back().letter;
      if (shape) l.shape = *shape;
      if (tone) l.tone = *tone;
      if (character_of(l) == 0) return fail("a mark on a letter that does not carry it");
      all.back().letter = l;
      continue;
    }
    if (c == U' ' && !all.empty() && all.back().other == U' ') continue;
    all.push_back({c, letter_of(c)});
  }
  return all;
}

std::vector<std::string> glyph_of(Encoding e, const Character& c, const PhraseOptions& o) {
  if (!c.letter) return spellings(e, c.other, o.letter_case);
  auto all = spellings(e, *c.letter, o.letter_case);
  if (o.unmarked && c.letter->marked()) {
    Letter plain = *c.letter;
    plain.shape = Shape::kNone;
    plain.tone = Tone::kNone;
    const auto more = spellings(e, plain, o.letter_case);
    all.insert(all.end(), more.begin(), more.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  longest_first(all);
  return all;
}

}  // namespace

Result<Phrase> Phrase::make(std::string_view text, const PhraseOptions& options) {
  const auto characters = characters_of(text);
  if (!characters) return std::unexpected(characters.error());
  if (characters->size() < 3) return fail("a phrase of less than 3 characters is found everywhere");
  if (characters->size() > kMaxCharacters) return fail(fmt::format("a phrase has at most {} characters", kMaxCharacters));
  Phrase p;
  p.options_ = options;
  for (size_t i = 0; i < kEncodings; ++i) {
    Spelling s{static_cast<Encoding>(i), {}};
    for (const Character& c : *characters) {
      auto glyph = glyph_of(s.encoding, c, options);
      if (glyph.empty()) break;
      s.glyphs.push_back(std::move(glyph));
    }
    if (s.glyphs.size() != characters->size()) continue;   // this encoding cannot write it
    // Encodings that write a phrase alike (plain ASCII) need not be looked for twice.
    const bool known = std::any_of(p.spellings_.begin(), p.spellings_.end(), [&](const Spelling& k) {
      return k.glyphs == s.glyphs && unit_bytes(k.encoding) == unit_bytes(s.encoding);
    });
    if (!known) p.spellings_.push_back(std::move(s));
  }
  p.choose_literals();
  return p;
}

void Phrase::choose_literals() {
  min_length_ = ~size_t{0};
  for (size_t i = 0; i < spellings_.size(); ++i) {
    const Spelling& s = spellings_[i];
    size_t length = 0;
    for (const Glyph& g : s.glyphs) length += g.back().size();
    min_length_ = std::min(min_length_, length);
    for (const std::string& first : s.glyphs[0]) starts_[static_cast<uint8_t>(first[0])].set(i);
    auto chosen = literals_of(s);
    literals_.insert(literals_.end(), chosen.all.begin(), chosen.all.end());
  }
  std::sort(literals_.begin(), literals_.end());
  literals_.erase(std::unique(literals_.begin(), literals_.end()), literals_.end());
}

// The run of letters whose combinations are few and whose shortest one is longest. Case of ASCII does not count: the set is matched
// without it.
Phrase::Literals Phrase::literals_of(const Spelling& s) {
  constexpr size_t kPerSpelling = 8;
  std::vector<Glyph> folded;
  for (const Glyph& g : s.glyphs) {
    Glyph f;
    for (const std::string& form : g) f.push_back(to_lower(form));
    std::sort(f.begin(), f.end());
    f.erase(std::unique(f.begin(), f.end()), f.end());
    longest_first(f);
    folded.push_back(std::move(f));
  }
  size_t best_begin = 0, best_end = 0, best_length = 0, best_count = 0;
  for (size_t begin = 0; begin < folded.size(); ++begin) {
    size_t count = 1, length = 0;
    for (size_t end = begin; end < folded.size(); ++end) {
      count *= folded[end].size();
      if (count > kPerSpelling) break;
      length += folded[end].back().size();
      if (length > best_length || (length == best_length && count < best_count)) {
        best_begin = begin;
        best_end = end + 1;
        best_length = length;
        best_count = count;
      }
    }
  }
  if (best_length == 0) best_end = best_begin + 1;   // one letter alone has more spellings than that
  Literals out{{""}, best_length};
  for (size_t i = best_begin; i < best_end; ++i) {
    std::vector<std::string> longer;
    for (const std::string& head : out.all) {
      for (const std::string& form : folded[i]) longer.push_back(head + form);
    }
    out.all = std::move(longer);
  }
  return out;
}

// Where the phrase ends that begins at `at`; Found::kNone when none does. At each letter the longest spelling that fits is taken: none of
// a letter's spellings is the beginning of another one followed by what may begin the next letter, marks apart, which belong to the letter.
size_t Phrase::match(const Spelling& s, Bytes data, size_t at, size_t to) {
  for (const Glyph& glyph : s.glyphs) {
    const auto form = std::find_if(glyph.begin(), glyph.end(), [&](const std::string& f) {
      return to - at >= f.size() && std::memcmp(data.data() + at, f.data(), f.size()) == 0;
    });
    if (form == glyph.end()) return Found::kNone;
    at += form->size();
  }
  return at;
}

Found Phrase::find(Bytes data, size_t from, size_t to) const {
  to = std::min(to, data.size());
  for (size_t at = from; at < to && to - at >= min_length_; ++at) {
    const auto& candidates = starts_[data[at]];
    if (candidates.none()) continue;
    Found best;
    for (size_t i = 0; i < spellings_.size(); ++i) {
      if (!candidates[i]) continue;
      const size_t end = match(spellings_[i], data, at, to);
      if (end == Found::kNone || (best && end - at <= best.length)) continue;
      if (!bounds_fit(spellings_[i].encoding, data, at, end)) continue;
      best = {at, end - at, spellings_[i].encoding};
    }
    if (best) return best;
  }
  return {};
}

bool Phrase::bounds_fit(Encoding e, Bytes data, size_t begin, size_t end) const {
  if (extends_letter(e, behind(e, data, end))) return false;
  if (options_.alone) return line_ends_before(e, data, begin) && line_ends_behind(e, data, end);
  if (options_.word) return !is_word(e, before(e, data, begin)) && !is_word(e, behind(e, data, end));
  return true;
}

}  // namespace vong::vietnamese
