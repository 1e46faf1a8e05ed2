#include "sensor/applayer/rdp/message.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "base/encode.h"
#include "sensor/applayer/rdp/limits.h"

namespace vong::rdp {
namespace {

enum X224 : uint8_t { kRequest = 0xe0, kConfirm = 0xd0, kData = 0xf0 };
constexpr uint16_t kMcsInitial = 0x7f65, kMcsResponse = 0x7f66;

// UTF-16, little-endian, up to a zero or `size` bytes.
std::string utf16(Bytes bytes) {
  std::string out;
  ByteReader in(bytes);
  while (in.remaining() >= 2) {
    uint32_t c = in.u16_le();
    if (c == 0) break;
    if (c >= 0xd800 && c < 0xdc00 && in.remaining() >= 2) {
      c = 0x10000 + ((c & 0x3ff) << 10) + (in.u16_le() & 0x3ff);
    }
    append_utf8(out, c);
  }
  return out;
}

// "Cookie: mstshash=NAME" up to the line's end.
void read_cookie(Bytes variable, Message& m) {
  constexpr std::string_view kBegin = "Cookie: mstshash=";
  const std::string_view text = as_text(variable);
  if (!text.starts_with(kBegin)) return;
  const size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return;
  m.cookie = text.substr(kBegin.size(), std::min(end - kBegin.size(), kMaxCookieBytes));
}

void read_confirm(Bytes variable, Message& m) {
  constexpr uint8_t kResponse = 2;
  ByteReader in(variable);
  if (in.u8() != kResponse) return;
  in.skip(3);
  const uint32_t protocol = in.u32_le();
  if (in.ok()) m.selected_protocol = protocol;
}

std::optional<size_t> ber_length(ByteReader& in) {
  const uint8_t first = in.u8();
  if (first < 0x80) return first;
  if (first == 0x81) return in.u8();
  if (first == 0x82) return in.u16();
  return std::nullopt;
}

std::optional<Bytes> ber_element(ByteReader& in) {
  in.skip(1);
  const auto size = ber_length(in);
  if (!size) return std::nullopt;
  const Bytes content = in.bytes(*size);
  if (!in.ok()) return std::nullopt;
  return content;
}

size_t per_length(ByteReader& in) {
  const uint8_t first = in.u8();
  return (first & 0x80) != 0 ? static_cast<size_t>(first & 0x7f) << 8 | in.u8() : first;
}

std::optional<uint16_t> depth_of_code(uint16_t code) {
  switch (code) {
    case 0xca00:
      return 4;
    case 0xca01:
      return 8;
    case 0xca02:
      return 15;
    case 0xca03:
      return 16;
    case 0xca04:
      return 24;
    default:
      return std::nullopt;
  }
}

// Client core data (section 2.2.1.3.2): fields at the end may be missing.
void read_core(Bytes data, Message& m) {
  ByteReader in(data);
  ClientData c;
  c.version = in.u32_le();
  c.width = in.u16_le();
  c.height = in.u16_le();
  c.color_depth = depth_of_code(in.u16_le());
  in.skip(2);
  c.keyboard_layout = in.u32_le();
  c.build = in.u32_le();
  c.name = utf16(in.bytes(32));
  c.keyboard_type = in.u32_le();
  in.skip(4);
  c.function_keys = in.u32_le();
  in.skip(64);
  if (!in.ok()) return;
  if (in.remaining() >= 2) {
    if (const auto depth = depth_of_code(in.u16_le())) c.color_depth = depth;
  }
  if (in.remaining() >= 2) c.product_id = in.u16_le();
  in.skip(std::min<size_t>(4, in.remaining()));
  if (in.remaining() >= 2) {
    const uint16_t depth = in.u16_le();
    if (depth != 0) c.color_depth = depth;
  }
  in.skip(std::min<size_t>(2, in.remaining()));
  if (in.remaining() >= 2) c.capabilities = in.u16_le();
  if (in.remaining() >= 64) c.id = utf16(in.bytes(64));
  m.client = std::move(c);
}

void read_channels(Bytes data, Message& m) {
  ByteReader in(data);
  const uint32_t count = in.u32_le();
  for (uint32_t i = 0; i < count && i < kMaxChannels && in.remaining() >= 12; ++i) {
    const std::string_view name = as_text(in.bytes(8));
    m.channels.emplace_back(name.substr(0, name.find('\0')));
    in.skip(4);
  }
}

// BER around a GCC conference request (T.124, PER) around blocks of client data.
bool read_initial(ByteReader& in, Message& m) {
  constexpr uint16_t kCore = 0xc001, kNetwork = 0xc003;
  constexpr size_t kConnectionIdBytes = 7, kRequestBytes = 12;
  const auto size = ber_length(in);
  if (!size) return false;
  for (int i = 0; i < 6; ++i) {  // two selectors, the direction, three sets of parameters
    if (!ber_element(in)) return false;
  }
  const auto user = ber_element(in);
  if (!user) return false;
  ByteReader gcc(*user);
  gcc.skip(kConnectionIdBytes);
  per_length(gcc);
  gcc.skip(kRequestBytes);
  per_length(gcc);
  while (gcc.ok() && gcc.remaining() >= 4) {
    const uint16_t type = gcc.u16_le(), length = gcc.u16_le();
    if (length < 4 || gcc.remaining() + 4 < length) break;
    const Bytes block = gcc.bytes(length - size_t{4});
    if (type == kCore) read_core(block, m);
    if (type == kNetwork) read_channels(block, m);
  }
  return true;
}

}  // namespace

bool parse_message(Bytes data, Message& out) {
  ByteReader in(data);
  const size_t indicator = in.u8();
  const uint8_t code = in.u8();
  if (!in.ok() || indicator == 0 || indicator + 1 > data.size()) return false;
  switch (code & 0xf0) {
    case kRequest:
    case kConfirm: {
      if (indicator < 6) return false;
      in.skip(5);  // references, class
      const Bytes variable = in.bytes(indicator - 6);
      const bool request = (code & 0xf0) == kRequest;
      out.kind = request ? Kind::kConnectionRequest : Kind::kConnectionConfirm;
      request ? read_cookie(variable, out) : read_confirm(variable, out);
      return in.ok();
    }
    case kData: {
      in.skip(indicator - 1);
      if (in.remaining() < 2) return true;
      const uint16_t tag = in.u16();
      if (tag == kMcsResponse) out.kind = Kind::kConnectResponse;
      if (tag != kMcsInitial) return true;
      out.kind = Kind::kConnectInitial;
      return read_initial(in, out);
    }
    default:
      return true;
  }
}

}  // namespace vong::rdp
