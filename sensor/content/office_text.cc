#include "sensor/content/office_text.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/byte_reader.h"
#include "sensor/content/limits.h"
#include "sensor/content/xml_text.h"

namespace vong::content {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kDescriptor = 0x08074b50;
constexpr uint16_t kSizesFollow = 1 << 3, kEncrypted = 1;
constexpr uint16_t kStored = 0, kDeflated = 8;

// Entries that hold what a reader sees.
bool holds_text(std::string_view name) {
  if (!name.ends_with(".xml")) return false;
  static constexpr std::array<std::string_view, 9> kBegins = {
      "word/document", "word/header", "word/footer", "word/footnotes", "word/endnotes", "word/comments", "xl/sharedStrings", "xl/worksheets/", "ppt/slides/"};
  if (name == "content.xml" || name == "styles.xml") return true;   // OpenDocument; styles.xml has headers and footers
  if (name.starts_with("ppt/notesSlides/")) return true;
  return std::any_of(kBegins.begin(), kBegins.end(), [&](std::string_view b) { return name.starts_with(b); });
}

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&z_, -MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&z_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Unpacks from `in`; hands pieces to `take` until the stream ends, input runs out, `limit` bytes have come or take says false.
  template <typename F>
  void run(Bytes in, size_t limit, F take) {
    if (!ready_) return;
    z_.next_in = const_cast<Bytef*>(in.data());
    z_.avail_in = static_cast<uInt>(std::min<size_t>(in.size(), 1u << 30));
    std::array<char, 16 * 1024> piece;
    bool wanted = true;
    while (!ended) {
      z_.next_out = reinterpret_cast<Bytef*>(piece.data());
      z_.avail_out = piece.size();
      const int status = inflate(&z_, Z_NO_FLUSH);
      const size_t got = piece.size() - z_.avail_out;
      unpacked += got;
      if (got > 0 && wanted) wanted = take(std::string_view(piece.data(), got));
      ended = status == Z_STREAM_END;
      if (status != Z_OK || unpacked >= limit) break;
    }
    consumed = in.size() - z_.avail_in;
  }

  bool ended = false;
  size_t unpacked = 0, consumed = 0;

 private:
  z_stream z_{};
  bool ready_ = false;
};

class Document {
 public:
  Document(Bytes file, std::string& out) : file_(file), reader_(file), text_(out), begin_(out.size()) {}

  OfficeTextReport read() {
    for (size_t i = 0; next_entry(); ++i) {
      if (i + 1 == kMaxEntries || unpacked_ >= kMaxUnpackedBytes || text_.size() - begin_ >= kMaxTextBytes) {
        report_.limit_reached = true;
        break;
      }
    }
    return report_;
  }

 private:
  // False: no further entry, or none that can be found.
  bool next_entry() {
    if (reader_.remaining() < 30 || reader_.u32_le() != kLocalHeader) return false;
    report_.is_container = true;
    reader_.skip(2);
    const uint16_t flags = reader_.u16_le(), method = reader_.u16_le();
    reader_.skip(8);
    const uint32_t packed = reader_.u32_le();
    reader_.skip(4);
    const uint16_t name_length = reader_.u16_le(), extra_length = reader_.u16_le();
    const std::string_view name = as_text(reader_.bytes(name_length));
    reader_.skip(extra_length);
    if (!reader_.ok()) return false;
    const bool open_end = (flags & kSizesFollow) != 0;
    const bool wanted = holds_text(name) && (flags & kEncrypted) == 0;
    if (method == kStored && !open_end) return stored(packed, wanted);
    if (method == kDeflated && (flags & kEncrypted) == 0) return deflated(packed, open_end, wanted);
    return !open_end && reader_.skip(packed);
  }

  bool stored(uint32_t size, bool wanted) {
    const Bytes data = reader_.bytes(std::min<size_t>(size, reader_.remaining()));
    if (wanted) {
      XmlText xml(text_, begin_ + kMaxTextBytes);
      report_.limit_reached |= !xml.feed(as_text(data.first(std::min(data.size(), kMaxEntryBytes))));
      xml.end_line();
    }
    report_.broken |= data.size() < size;
    return data.size() == size;
  }

  bool deflated(uint32_t packed, bool open_end, bool wanted) {
    if (!open_end && !wanted) return reader_.skip(packed);
    Inflater inflater;
    XmlText xml(text_, begin_ + kMaxTextBytes);
    const Bytes rest = reader_.peek();
    const Bytes in = open_end ? rest : rest.first(std::min<size_t>(rest.size(), packed));
    const size_t left = kMaxUnpackedBytes - std::min(kMaxUnpackedBytes, unpacked_);
    bool whole = true;
    inflater.run(in, std::min(kMaxEntryBytes, left), [&](std::string_view piece) { return !wanted || (whole = xml.feed(piece)); });
    xml.end_line();
    unpacked_ += inflater.unpacked;
    report_.limit_reached |= !whole || (!inflater.ended && inflater.unpacked >= std::min(kMaxEntryBytes, left));
    report_.broken |= !inflater.ended;
    if (!open_end) return reader_.skip(packed);
    // Where an entry ends that does not say its size is known only when its stream has ended.
    if (!inflater.ended || !reader_.skip(inflater.consumed)) return false;
    return skip_descriptor();
  }

  // Sizes behind the data: with or without a signature, in 32 or 64 bits: the next header tells.
  bool skip_descriptor() {
    const Bytes rest = reader_.peek();
    for (const size_t length : {16u, 12u, 24u, 20u}) {
      ByteReader at(rest);
      at.skip(length);
      const uint32_t next = at.u32_le();
      if (at.ok() && (next & 0xffff) == (kLocalHeader & 0xffff) && next != kDescriptor) return reader_.skip(length);
    }
    return false;
  }

  Bytes file_;
  ByteReader reader_;
  std::string& text_;
  size_t begin_;
  size_t unpacked_ = 0;
  OfficeTextReport report_;
};

}  // namespace

OfficeTextReport office_text(Bytes file, std::string& out) { return Document(file, out).read(); }

}  // namespace vong::content
