#include "sensor/applayer/http2/hpack.h"

#include <algorithm>
#include <array>
#include <limits>

#include "sensor/applayer/http2/huffman.h"

namespace vong::http2 {
namespace {

struct Static {
  std::string_view name, value;
};
// RFC 7541 appendix A; index 1 is the first.
constexpr auto kStatic = std::to_array<Static>({
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
});
static_assert(kStatic.size() == 61);

Text static_text(std::string_view t) {
  return t.empty() ? nullptr : std::make_shared<const std::string>(t);
}

// Made once: the shared form of the table above.
const std::array<std::pair<Text, Text>, kStatic.size()>& static_texts() {
  static const auto kTexts = [] {
    std::array<std::pair<Text, Text>, kStatic.size()> all;
    for (size_t i = 0; i < all.size(); ++i)
      all[i] = {static_text(kStatic[i].name), static_text(kStatic[i].value)};
    return all;
  }();
  return kTexts;
}

}  // namespace

// Prefix of `prefix_bits` bits, then groups of seven (section 5.1).
HpackDecoder::Read HpackDecoder::read_integer(ByteReader& in, int prefix_bits, uint64_t& value) {
  const uint64_t mask = (uint64_t{1} << prefix_bits) - 1;
  value = in.u8() & mask;
  if (!in.ok()) return Read::kCut;
  if (value < mask) return Read::kOk;
  bool overflow = false;
  for (int shift = 0;; shift += 7) {
    const uint8_t b = in.u8();
    if (!in.ok()) return Read::kCut;
    if (shift <= 28) {
      value += uint64_t{b & 0x7fu} << shift;
    } else if ((b & 0x7f) != 0) {
      overflow = true;
    }
    overflow = overflow || shift > 56 || value > std::numeric_limits<uint32_t>::max();
    if ((b & 0x80) == 0 || shift > 56) return overflow ? Read::kOverflow : Read::kOk;
  }
}

HpackDecoder::Read HpackDecoder::read_string(ByteReader& in, Text& out) {
  const bool huffman = (in.peek_u8() & 0x80) != 0;
  uint64_t size = 0;
  if (const Read r = read_integer(in, 7, size); r != Read::kOk) return r;
  if (size > in.remaining()) return Read::kCut;
  const Bytes bytes = in.bytes(static_cast<size_t>(size));
  auto text = std::make_shared<std::string>();
  bool good = true;
  if (huffman) {
    good = huffman_decode(bytes, *text);
  } else {
    text->assign(as_text(bytes));
  }
  out = std::move(text);
  return good ? Read::kOk : Read::kBadString;
}

bool HpackDecoder::look_up(uint64_t index, bool with_value, Field& out) const {
  if (index == 0) return false;
  if (index <= kStatic.size()) {
    const auto& [name, value] = static_texts()[static_cast<size_t>(index - 1)];
    out.shared_name = name;
    if (with_value) out.shared_value = value;
    return true;
  }
  index -= kStatic.size() + 1;
  if (index >= table_.size()) return false;
  const Entry& e = table_[static_cast<size_t>(index)];
  out.shared_name = e.name;
  if (with_value) out.shared_value = e.value;
  return true;
}

void HpackDecoder::evict(size_t room) {
  while (!table_.empty() && table_bytes_ > room) {
    table_bytes_ -= table_.back().bytes;
    table_.pop_back();
  }
}

void HpackDecoder::add(const Field& f) {
  const size_t size = f.name().size() + f.value().size() + kEntryOverhead;
  evict(size > capacity_ ? 0 : capacity_ - size);
  if (size > capacity_) return;  // section 4.4: it only empties the table
  table_.push_front({f.shared_name, f.shared_value, size});
  table_bytes_ += size;
}

void HpackDecoder::resize(uint64_t bytes) {
  capacity_ = static_cast<size_t>(std::min<uint64_t>(bytes, table_bytes_max_));
  evict(capacity_);
}

HpackDecoder::Read HpackDecoder::read_literal(ByteReader& in, int prefix_bits, bool add_it,
                                              Field& out) {
  uint64_t index = 0;
  if (const Read r = read_integer(in, prefix_bits, index); r == Read::kCut) {
    return r;
  } else if (r == Read::kOverflow) {
    out.status = FieldStatus::kOverflow;
  } else if (index != 0 && !look_up(index, false, out)) {
    out.status = FieldStatus::kNoSuchIndex;
  }
  const auto take = [&](Text& into) {
    const Read r = read_string(in, into);
    if (r == Read::kOverflow) out.status = FieldStatus::kOverflow;
    if (r == Read::kBadString) out.status = FieldStatus::kBadString;
    return r;
  };
  if (index == 0 && out.status == FieldStatus::kOk) {
    // Behind a length that makes no sense nothing can be found any more.
    if (const Read r = take(out.shared_name); r == Read::kCut || r == Read::kOverflow) return r;
  }
  if (const Read r = take(out.shared_value); r == Read::kCut || r == Read::kOverflow) return r;
  if (add_it && out.status == FieldStatus::kOk) add(out);
  return Read::kOk;
}

HpackDecoder::Read HpackDecoder::read_field(ByteReader& in, Field& out) {
  const uint8_t first = in.peek_u8();
  if ((first & 0xc0) == 0x40) return read_literal(in, 6, true, out);
  if ((first & 0xe0) == 0) return read_literal(in, 4, false, out);
  uint64_t value = 0;
  const bool indexed = (first & 0x80) != 0;
  const Read r = read_integer(in, indexed ? 7 : 5, value);
  if (r == Read::kCut) return r;
  if (r == Read::kOverflow) {
    out.status = FieldStatus::kOverflow;
  } else if (!indexed) {
    out.status = FieldStatus::kSizeUpdate;
    out.size_update = value;
    resize(value);
  } else if (!look_up(value, true, out)) {
    out.status = FieldStatus::kNoSuchIndex;
  }
  return Read::kOk;
}

HpackDecoder::Result HpackDecoder::decode(Bytes block, size_t fields_max, size_t bytes_room,
                                          std::vector<Field>& out) {
  ByteReader in(block);
  Result result;
  while (!in.empty()) {
    Field f;
    const Read r = read_field(in, f);
    if (r == Read::kOverflow) {  // a length of a string: the rest has no beginning
      f.status = FieldStatus::kOverflow;
      out.push_back(std::move(f));
      result.consumed = block.size();
      return result;
    }
    if (r != Read::kOk) return result;
    result.consumed = in.position();
    const size_t size = f.name().size() + f.value().size();
    if (out.size() >= fields_max || size > bytes_room) {
      result.limited = true;
      bytes_room = 0;
      continue;
    }
    bytes_room -= size;
    out.push_back(std::move(f));
  }
  return result;
}

}  // namespace vong::http2
