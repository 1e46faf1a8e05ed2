#include "sensor/content/office_text.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "sensor/content/limits.h"
#include "sensor/content/xml_text.h"

namespace vong::content {
namespace {

void put(std::string& s, uint64_t v, int n) {
  for (int i = 0; i < n; ++i) s += static_cast<char>(v >> 8 * i & 0xff);
}
std::string deflated(std::string_view text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}
// An entry with its local header (APPNOTE.TXT 4.3.7); `open_end`: sizes behind it.
std::string entry(std::string_view name, std::string_view content, bool compress = true, bool open_end = false) {
  const std::string data = compress ? deflated(content) : std::string(content);
  std::string s;
  put(s, 0x04034b50, 4);
  put(s, 20, 2);
  put(s, open_end ? 8 : 0, 2);
  put(s, compress ? 8 : 0, 2);
  put(s, 0, 8);
  put(s, open_end ? 0 : data.size(), 4);
  put(s, open_end ? 0 : content.size(), 4);
  put(s, name.size(), 2);
  put(s, 0, 2);
  s += name;
  s += data;
  if (open_end) {
    put(s, 0x08074b50, 4);
    put(s, 0, 4);
    put(s, data.size(), 4);
    put(s, content.size(), 4);
  }
  return s;
}
std::string text_of(std::string_view file, OfficeTextReport* report = nullptr) {
  std::string out;
  const auto r = office_text(as_bytes(file), out);
  if (report != nullptr) *report = r;
  return out;
}

constexpr std::string_view kWord = "<?xml version=\"1.0\"?><w:p><w:r><w:t>TỐI</w:t></w:r><w:r><w:t xml:space=\"preserve\"> M</w:t></w:r><w:r><w:t>ẬT</w:t></w:r></w:p><w:p>hai &amp; &#7853;</w:p>";

TEST(OfficeText, RunsJoinAndParagraphsEndLines) {
  EXPECT_EQ(text_of(entry("[Content_Types].xml", "<x>no</x>") + entry("word/document.xml", kWord)), "TỐI MẬT\nhai & ậ\n");
}

TEST(OfficeText, SizesMayStandBehindTheData) {
  EXPECT_EQ(text_of(entry("word/styles.xml", "<x>no</x>", true, true) + entry("word/document.xml", kWord, true, true)), "TỐI MẬT\nhai & ậ\n");
}

TEST(OfficeText, OpenDocumentAndStoredEntries) {
  EXPECT_EQ(text_of(entry("mimetype", "application/vnd.oasis.opendocument.text", false) + entry("content.xml", "<text:p>a<text:s/>b<text:tab/>c</text:p>", false)),
            "a b\tc\n");
}

TEST(OfficeText, DocumentOnItsWayGivesWhatHasCome) {
  const std::string file = entry("word/document.xml", kWord);
  OfficeTextReport report;
  for (size_t n = 0; n < file.size(); ++n) {
    const std::string text = text_of(std::string_view(file).substr(0, n), &report);
    EXPECT_LE(text.size(), std::string("TỐI MẬT\nhai & ậ\n").size());
  }
  EXPECT_TRUE(report.broken);
}

TEST(OfficeText, OtherFilesAreNone) {
  OfficeTextReport report;
  EXPECT_EQ(text_of("%PDF-1.7", &report), "");
  EXPECT_FALSE(report.is_container);
}

TEST(OfficeText, BombIsBounded) {
  const std::string zeros(64 << 20, 'a');
  OfficeTextReport report;
  const std::string text = text_of(entry("word/document.xml", zeros), &report);
  EXPECT_TRUE(report.limit_reached);
  EXPECT_LE(text.size(), kMaxTextBytes + 1);
}

TEST(XmlText, CutAnywhereGivesTheSame) {
  std::string whole;
  XmlText(whole, 1 << 20).feed(kWord);
  for (size_t n = 0; n <= kWord.size(); ++n) {
    std::string out;
    XmlText x(out, 1 << 20);
    EXPECT_TRUE(x.feed(kWord.substr(0, n)) && x.feed(kWord.substr(n)));
    EXPECT_EQ(out, whole) << n;
  }
}

}  // namespace
}  // namespace vong::content
