#include "sensor/applayer/enip/message.h"

#include "base/byte_reader.h"
#include "sensor/applayer/enip/limits.h"

namespace vong::enip {
namespace {

enum Item : uint16_t {
  kIdentityItem = 0x0c,
  kConnected = 0xb1,
  kUnconnected = 0xb2,
  kServices = 0x100
};
constexpr uint8_t kMultipleService = 0x0a, kResponseBit = 0x80;

// Logical segments: 001 type(3) format(2).
bool read_path(ByteReader in, std::vector<Segment>& out) {
  while (!in.empty() && out.size() < kMaxSegments) {
    Segment s;
    s.code = in.u8();
    if ((s.code & 0xe0) != 0x20) return true;  // ports, symbols: nobody asks for them
    switch (s.code >> 2 & 7) {
      case 0:
        s.type = SegmentType::kClass;
        break;
      case 1:
        s.type = SegmentType::kInstance;
        break;
      case 4:
        s.type = SegmentType::kAttribute;
        break;
      default:
        break;
    }
    switch (s.code & 3) {
      case 0:
        s.value = in.u8();
        break;
      case 1:
        in.skip(1);
        s.value = in.u16_le();
        break;
      case 2:
        in.skip(1);
        s.value = in.u32_le();
        break;
      default:
        return true;
    }
    if (!in.ok()) return false;
    out.push_back(s);
  }
  return true;
}

bool read_service(ByteReader in, Service& out, bool inner);

// count(2), offsets(2 each, from the count on), services.
bool read_multiple(Bytes data, Service& out) {
  ByteReader in(data);
  const size_t count = in.u16_le();
  std::vector<size_t> offsets;
  for (size_t i = 0; i < count && i < kMaxServices; ++i) offsets.push_back(in.u16_le());
  if (!in.ok()) return false;
  for (size_t i = 0; i < offsets.size(); ++i) {
    const size_t end = i + 1 < offsets.size() ? offsets[i + 1] : data.size();
    if (offsets[i] > end || end > data.size()) return false;
    if (!read_service(ByteReader(data.subspan(offsets[i], end - offsets[i])),
                      out.multiple.emplace_back(), true))
      return false;
  }
  return true;
}

bool read_service(ByteReader in, Service& out, bool inner) {
  const uint8_t code = in.u8();
  out.is_response = (code & kResponseBit) != 0;
  out.code = code & ~kResponseBit;
  if (out.is_response) {
    in.skip(1);
    out.status = in.u8();
    const size_t words = in.u8();
    if (words > 0) out.extended_status = in.u16_le();
    if (words > 1) in.skip((words - 1) * 2);
  } else {
    const size_t words = in.u8();
    ByteReader path = in.sub(words * 2);
    if (!in.ok() || !read_path(path, out.path)) return false;
  }
  if (!in.ok()) return false;
  if (out.code == kMultipleService && !inner && !in.empty()) return read_multiple(in.rest(), out);
  return true;
}

bool read_identity(ByteReader in, Message& m) {
  Identity id;
  id.protocol_version = in.u16_le();
  in.skip(16);  // socket address
  id.vendor = in.u16_le();
  id.device_type = in.u16_le();
  id.product_code = in.u16_le();
  id.major = in.u8();
  id.minor = in.u8();
  id.status = in.u16_le();
  id.serial = in.u32_le();
  id.name = as_text(in.bytes(in.u8()));
  id.state = in.u8();
  if (!in.ok()) return false;
  m.identity = std::move(id);
  return true;
}

bool read_services(ByteReader in, Message& m) {
  ServiceList s;
  s.protocol_version = in.u16_le();
  s.capabilities = in.u16_le();
  const std::string_view name = as_text(in.rest());
  s.name = name.substr(0, name.find('\0'));
  if (!in.ok()) return false;
  m.services = std::move(s);
  return true;
}

// Items: type(2) length(2) data.
bool read_items(ByteReader& in, Message& m) {
  const size_t count = in.u16_le();
  for (size_t i = 0; i < count && i < kMaxItems; ++i) {
    const uint16_t type = in.u16_le();
    ByteReader item = in.sub(in.u16_le());
    if (!in.ok()) return false;
    if (type == kConnected) item.skip(2);  // sequence number
    bool ok = true;
    if (type == kConnected || type == kUnconnected) {
      if (!item.empty()) ok = read_service(item, m.cip.emplace(), false);
    } else if (type == kIdentityItem && !m.identity) {
      ok = read_identity(item, m);
    } else if (type == kServices && !m.services) {
      ok = read_services(item, m);
    }
    if (!ok) return false;
  }
  return true;
}

}  // namespace

bool parse_header(Bytes data, Header& out) {
  ByteReader in(data);
  out.command = in.u16_le();
  out.length = in.u16_le();
  out.session = in.u32_le();
  out.status = in.u32_le();
  out.context = in.u64_le();
  out.options = in.u32_le();
  return in.ok();
}

std::optional<uint32_t> Service::segment(SegmentType type) const {
  for (const Segment& s : path) {
    if (s.type == type) return s.value;
  }
  return std::nullopt;
}

bool parse_payload(Bytes data, bool response, Message& out) {
  ByteReader in(data);
  switch (out.header.command) {
    case kRegisterSession:
      out.registration = Registration{in.u16_le(), in.u16_le()};
      if (!in.ok()) out.registration.reset();
      return in.ok();
    case kListIdentity:
    case kListServices:
      return !response || data.empty() || read_items(in, out);
    case kSendRrData:
    case kSendUnitData:
      if (data.empty()) return true;
      in.skip(6);  // interface, timeout
      return read_items(in, out);
    default:
      return true;
  }
}

}  // namespace vong::enip
