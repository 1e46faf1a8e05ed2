#include "rules/vietnamese/phrase.h"

#include <gtest/gtest.h>

namespace vong::vietnamese {
namespace {

Phrase phrase(std::string_view text, PhraseOptions options = {}) {
  auto p = Phrase::make(text, options);
  EXPECT_TRUE(p) << text;
  return *p;
}
Found find(const Phrase& p, std::string_view data) { return p.find(as_bytes(data), 0, data.size()); }
std::string wide(std::u16string_view text, bool big) {
  std::string out;
  for (const char16_t c : text) {
    const char low = static_cast<char>(c & 0xff), high = static_cast<char>(c >> 8);
    out += big ? high : low;
    out += big ? low : high;
  }
  return out;
}

// The same words as real encoders write them (iconv, Unikey's tables).
TEST(VnPhrase, IsFoundInEveryEncoding) {
  const Phrase p = phrase("tuyệt mật");
  struct Case { std::string data; Encoding encoding; };
  const Case cases[] = {
      {"độ: TUYỆT MẬT.", Encoding::kUtf8},
      {"tuye\u0323\u0302t ma\u0323\u0302t", Encoding::kUtf8},      // NFD
      {"tuy\u00ea\u0323t m\u00e2\u0323t", Encoding::kUtf8},        // half taken apart
      {"tuye\u0302\u0323t ma\u0302\u0323t", Encoding::kUtf8},      // marks the other way round
      {wide(u"Tuyệt mật", false), Encoding::kUtf16Le},
      {wide(u"Tuyệt mật", true), Encoding::kUtf16Be},
      {"tuy\xea\xf2t m\xe2\xf2t", Encoding::kWindows1258},
      {"tuy\xd6t m\xcbt", Encoding::kTcvn3},
      {"TUY\xd6T M\xcbT", Encoding::kTcvn3},                        // capitals of an ABC font
      {"tuye\xe4t ma\xe4t", Encoding::kVni},
      {"TUYE\xc4T MA\xc4T", Encoding::kVni},
      {"tuye^.t ma^.t", Encoding::kViqr},
      {"tuy\u00d6t m\u00cbt", Encoding::kTcvn3InUtf8},
      {"TUYE\u00c4T MA\u00c4T", Encoding::kVniInUtf8},
      {wide(u"tuy\u00d6t m\u00cbt", false), Encoding::kTcvn3InUtf16},
      {wide(u"tuye\u00e4t ma\u00e4t", false), Encoding::kVniInUtf16},
  };
  for (const Case& c : cases) {
    const Found f = find(p, c.data);
    ASSERT_TRUE(f) << name_of(c.encoding) << ": " << c.data;
    EXPECT_EQ(f.encoding, c.encoding) << name_of(f.encoding) << " for " << c.data;
    const std::string lower = c.data.substr(f.at, f.length);
    EXPECT_LE(p.min_length(), f.length);
    EXPECT_EQ(f.at + f.length <= c.data.size(), true);
  }
}

TEST(VnPhrase, EachOccurrenceHoldsALiteral) {
  const Phrase p = phrase("Số tối mật đường", {.unmarked = true});
  EXPECT_LE(p.literals().size(), Phrase::kMaxLiterals * 2);
  const std::string texts[] = {"số tối mật đường", "SỐ TỐI MẬT ĐƯỜNG", "so toi mat duong", "So^' to^'i ma^.t ddu+o+`ng", "s\xe8 t\xe8i m\xcbt \xae\xad\xeang",
                               wide(u"Số Tối mật đường", true), wide(u"số tối MẬT đường", false), "so\xe1 to\xe1i ma\xe4t \xf1\xf6\xf4\xf8ng"};
  for (const std::string& text : texts) {
    ASSERT_TRUE(find(p, text)) << text;
    std::string folded = text;
    for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    bool held = false;
    for (const std::string& l : p.literals()) held = held || folded.find(l) != std::string::npos;
    EXPECT_TRUE(held) << text;
  }
}

TEST(VnPhrase, MarksCountUnlessAsked) {
  EXPECT_FALSE(find(phrase("tối mật"), "toi mat"));
  EXPECT_FALSE(find(phrase("tối mật"), "tội mật"));
  EXPECT_TRUE(find(phrase("tối mật", {.unmarked = true}), "TOI MAT"));
  EXPECT_FALSE(find(phrase("tối mật", {.unmarked = true}), "tội mật"));
  EXPECT_FALSE(find(phrase("bao ma"), "bao mã")) << "another letter: composed";
  EXPECT_FALSE(find(phrase("bao ma"), "bao ma\u0303")) << "and taken apart";
}

TEST(VnPhrase, LetterCaseAsWritten) {
  const Phrase p = phrase("TỐI MẬT", {.letter_case = CaseRule::kAsWritten});
  EXPECT_TRUE(find(p, "TỐI MẬT"));
  EXPECT_FALSE(find(p, "Tối mật"));
  EXPECT_TRUE(find(p, "T\xe8I M\xcbT")) << "TCVN3 has no capitals with tones";
  EXPECT_FALSE(find(p, "t\xe8i m\xcbt")) << "but its plain letters have case";
}

TEST(VnPhrase, WordAndLineBounds) {
  const Phrase word = phrase("mật", {.word = true});
  EXPECT_TRUE(find(word, "bí mật."));
  EXPECT_FALSE(find(word, "mậtx"));
  EXPECT_FALSE(find(word, "ơmật")) << "a letter before it";
  EXPECT_TRUE(find(word, "\u201cmật\u201d"));
  const Phrase line = phrase("MẬT", {.letter_case = CaseRule::kAsWritten, .alone = true});
  EXPECT_TRUE(find(line, "BỘ CÔNG AN\r\n   MẬT  \r\nSố: 1"));
  EXPECT_TRUE(find(line, "--- MẬT ---"));
  EXPECT_TRUE(find(line, "<w:t>MẬT</w:t>"));
  EXPECT_FALSE(find(line, "BẢO MẬT\n"));
  EXPECT_FALSE(find(line, "MẬT KHẨU\n"));
  EXPECT_TRUE(find(line, wide(u"A\nMẬT\nB", false)));
  EXPECT_FALSE(find(line, wide(u"BẢO MẬT\n", false)));
}

TEST(VnPhrase, SpacesMayBeOthers) {
  const Phrase p = phrase("tối  mật");
  EXPECT_TRUE(find(p, "tối\u00a0mật"));
  EXPECT_TRUE(find(p, "tối\tmật"));
}

TEST(VnPhrase, BadPhrasesSayWhy) {
  EXPECT_FALSE(Phrase::make("mậ\xff", {}));
  EXPECT_FALSE(Phrase::make("ạ", {}));
  EXPECT_FALSE(Phrase::make("\u0301abc", {}));
  EXPECT_FALSE(Phrase::make(std::string(100, 'a'), {}));
}

TEST(VnPhrase, RangeIsKept) {
  const Phrase p = phrase("mật thư");
  const std::string data = "mật thư mật thư";
  EXPECT_EQ(p.find(as_bytes(data), 1, data.size()).at, std::string("mật thư ").size());
  EXPECT_FALSE(p.find(as_bytes(data), 1, data.size() - 1));
}

}  // namespace
}  // namespace vong::vietnamese
