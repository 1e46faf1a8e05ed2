#include "sensor/applayer/smb/message.h"

#include <algorithm>

#include "base/encode.h"
#include "sensor/applayer/formats/text.h"
#include "sensor/applayer/smb/limits.h"

namespace vong::smb {
namespace {

constexpr uint16_t kStructure2 = 64;

ByteReader body2(Bytes record) {
  ByteReader in(record);
  in.skip(kHeader2Bytes);
  return in;
}

std::string file_id_of(ByteReader& in) { return std::string(as_text(in.bytes(kFileIdBytes))); }

std::string name_of(Bytes text) {
  return formats::without_zeros(text.first(std::min(text.size(), 2 * kMaxNameBytes)));
}

// `size` bytes at `at` of the record, or as many as there are.
Bytes part(Bytes record, size_t at, uint64_t size) {
  if (at > record.size()) return {};
  return record.subspan(at, std::min<uint64_t>(size, record.size() - at));
}

}  // namespace

std::optional<Header1> parse_header1(Bytes record) {
  ByteReader in(record);
  in.skip(4);
  Header1 h;
  h.command = in.u8();
  const Bytes status = in.bytes(4);
  h.flags = in.u8();
  h.flags2 = in.u16_le();
  const uint16_t process_high = in.u16_le();
  in.skip(10);  // signature, reserved
  h.tree = in.u16_le();
  h.process = in.u16_le() | uint32_t{process_high} << 16;
  h.user = in.u16_le();
  h.multiplex = in.u16_le();
  if (!in.ok()) return std::nullopt;
  ByteReader s(status);
  h.nt_status = s.u32_le();
  h.dos_class = status[0];
  h.dos_code = static_cast<uint16_t>(status[2] | status[3] << 8);
  return h;
}

std::optional<Block1> parse_block1(Bytes record, size_t at) {
  if (at >= record.size()) return std::nullopt;
  ByteReader in(record.subspan(at));
  Block1 b;
  b.words = in.bytes(size_t{2} * in.u8());
  const uint16_t count = in.u16_le();
  if (!in.ok()) return std::nullopt;
  b.bytes_at = at + in.position();
  b.cut = in.remaining() < count;
  b.bytes = in.bytes(std::min<size_t>(count, in.remaining()));
  return b;
}

std::string read_string1(ByteReader& in, size_t at, bool unicode) {
  if (unicode && (at + in.position()) % 2 != 0) in.skip(1);
  const Bytes rest = in.peek();
  size_t size = 0, end = 0;
  if (unicode) {
    while (size + 1 < rest.size() && (rest[size] != 0 || rest[size + 1] != 0)) size += 2;
    end = std::min(size + 2, rest.size());
    if (size + 1 >= rest.size()) size = end = rest.size();
  } else {
    while (size < rest.size() && rest[size] != 0) ++size;
    end = std::min(size + 1, rest.size());
  }
  std::string out = name_of(rest.first(size));
  in.skip(end);
  return out;
}

std::optional<Write1> parse_write1(Bytes record, uint8_t command, const Block1& b) {
  ByteReader in(b.words);
  Write1 w;
  if (command == k1WriteAndx) {
    in.skip(4);  // AndX
    w.file = in.u16_le();
    w.offset = in.u32_le();
    in.skip(8);  // timeout, mode, remaining
    const uint16_t high = in.u16_le();
    w.size = in.u16_le() | uint32_t{high} << 16;
    w.data_at = in.u16_le();
    if (!in.ok()) return std::nullopt;
    if (in.remaining() >= 4) w.offset |= uint64_t{in.u32_le()} << 32;
    w.data_at = std::max(w.data_at, b.bytes_at);
  } else {
    w.file = in.u16_le();
    w.size = in.u16_le();
    w.offset = in.u32_le();
    if (!in.ok()) return std::nullopt;
    // WRITE has a buffer type and its length before the data, WRITE_AND_CLOSE one byte of padding.
    w.data_at = b.bytes_at + (command == k1Write ? 3 : 1);
  }
  w.data = part(record, w.data_at, w.size);
  return w;
}

std::optional<ReadAnswer1> parse_read_answer1(Bytes record, const Block1& b) {
  ByteReader in(b.words);
  in.skip(10);  // AndX, available, compaction mode, reserved
  ReadAnswer1 r;
  r.size = in.u16_le();
  r.data_at = in.u16_le();
  r.size |= uint32_t{in.u16_le()} << 16;
  if (!in.ok()) return std::nullopt;
  r.data_at = std::max(r.data_at, b.bytes_at);
  r.data = part(record, r.data_at, r.size);
  return r;
}

std::optional<Header2> parse_header2(Bytes record) {
  ByteReader in(record);
  in.skip(4);
  const uint16_t structure = in.u16_le();
  in.skip(2);
  Header2 h;
  h.status = in.u32_le();
  h.command = in.u16_le();
  in.skip(2);
  h.flags = in.u32_le();
  h.next = in.u32_le();
  h.message = in.u64_le();
  in.skip(4);
  h.tree = in.u32_le();
  h.session = in.u64_le();
  in.skip(16);
  if (!in.ok() || structure != kStructure2) return std::nullopt;
  if (h.is_async()) h.tree = 0;  // its place is taken
  return h;
}

std::optional<Write2> parse_write2(Bytes record) {
  ByteReader in = body2(record);
  in.skip(2);
  Write2 w;
  w.data_at = in.u16_le();
  w.size = in.u32_le();
  w.offset = in.u64_le();
  w.file_id = file_id_of(in);
  in.skip(16);  // channel, remaining, channel info, flags
  if (!in.ok()) return std::nullopt;
  w.data_at = std::max(w.data_at, in.position());
  w.data = part(record, w.data_at, w.size);
  return w;
}

std::optional<ReadAnswer2> parse_read_answer2(Bytes record) {
  ByteReader in = body2(record);
  in.skip(2);
  ReadAnswer2 r;
  r.data_at = in.u8();
  in.skip(1);
  r.size = in.u32_le();
  in.skip(8);
  if (!in.ok()) return std::nullopt;
  r.data_at = std::max(r.data_at, in.position());
  r.data = part(record, r.data_at, r.size);
  return r;
}

std::optional<ReadRequest2> parse_read_request2(Bytes record) {
  ByteReader in = body2(record);
  in.skip(4);
  ReadRequest2 r;
  r.size = in.u32_le();
  r.offset = in.u64_le();
  r.file_id = file_id_of(in);
  if (!in.ok()) return std::nullopt;
  return r;
}

std::optional<CreateRequest2> parse_create_request2(Bytes record) {
  ByteReader in = body2(record);
  in.skip(36);
  CreateRequest2 c;
  c.disposition = in.u32_le();
  c.options = in.u32_le();
  const uint16_t at = in.u16_le(), size = in.u16_le();
  in.skip(8);
  if (!in.ok()) return std::nullopt;
  c.name = name_of(part(record, at, size));
  return c;
}

std::optional<CreateAnswer> parse_create_answer2(Bytes record) {
  ByteReader in = body2(record);
  in.skip(8);
  CreateAnswer c;
  c.created = in.u64_le();
  c.accessed = in.u64_le();
  c.modified = in.u64_le();
  c.changed = in.u64_le();
  in.skip(8);  // allocated
  c.size = in.u64_le();
  in.skip(8);
  c.file_id = file_id_of(in);
  if (!in.ok()) return std::nullopt;
  return c;
}

std::optional<CreateAnswer> parse_create_answer1(const Block1& b) {
  ByteReader in(b.words);
  in.skip(5);  // AndX, oplock
  CreateAnswer c;
  c.file_id = as_text(in.bytes(2));
  in.skip(4);
  c.created = in.u64_le();
  c.accessed = in.u64_le();
  c.modified = in.u64_le();
  c.changed = in.u64_le();
  in.skip(12);  // attributes, allocated
  c.size = in.u64_le();
  if (!in.ok()) return std::nullopt;
  return c;
}

std::optional<Ioctl2> parse_ioctl_request2(Bytes record) {
  ByteReader in = body2(record);
  in.skip(4);
  Ioctl2 i;
  i.function = in.u32_le();
  i.file_id = file_id_of(in);
  const uint32_t at = in.u32_le(), size = in.u32_le();
  if (!in.ok()) return std::nullopt;
  i.data = part(record, at, size);
  return i;
}

std::optional<Ioctl2> parse_ioctl_answer2(Bytes record) {
  ByteReader in = body2(record);
  in.skip(4);
  Ioctl2 i;
  i.function = in.u32_le();
  i.file_id = file_id_of(in);
  in.skip(8);
  const uint32_t at = in.u32_le(), size = in.u32_le();
  if (!in.ok()) return std::nullopt;
  i.data = part(record, at, size);
  return i;
}

std::optional<SetInfo2> parse_set_info2(Bytes record) {
  constexpr uint8_t kFile = 1, kRename = 10, kDisposition = 13;
  ByteReader in = body2(record);
  in.skip(2);
  SetInfo2 s;
  s.info_class = in.u8();
  s.level = in.u8();
  const uint32_t size = in.u32_le();
  const uint16_t at = in.u16_le();
  in.skip(6);
  s.file_id = file_id_of(in);
  if (!in.ok()) return std::nullopt;
  ByteReader data(part(record, at, size));
  if (s.info_class == kFile && s.level == kRename) {
    data.skip(16);  // replace, root directory
    const uint32_t name_bytes = data.u32_le();
    s.rename = data.ok();
    s.new_name = name_of(data.bytes(std::min<size_t>(name_bytes, data.remaining())));
  } else if (s.info_class == kFile && s.level == kDisposition) {
    s.delete_on_close = data.u8() != 0;
    s.disposition = data.ok();
  }
  return s;
}

int64_t unix_seconds(uint64_t filetime) {
  constexpr uint64_t kTicksPerSecond = 10'000'000, kSecondsTo1970 = 11'644'473'600;
  const uint64_t seconds = filetime / kTicksPerSecond;
  return seconds < kSecondsTo1970 ? 0 : static_cast<int64_t>(seconds - kSecondsTo1970);
}

std::string fuid_text(std::string_view id) {
  if (id.size() == kFileIdBytes) return formats::guid_text(as_bytes(id));
  if (id.size() < 2) return {};
  const uint8_t swapped[] = {static_cast<uint8_t>(id[1]), static_cast<uint8_t>(id[0])};
  return hex_of(swapped);
}

}  // namespace vong::smb
