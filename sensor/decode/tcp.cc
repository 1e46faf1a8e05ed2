// TCP, RFC 9293 3.1; options: RFC 9293, 7323 (window scale, timestamps), 2018 (SACK), 7413 (fast
// open), 2385 (MD5), 5925 (AO).
//
//   source port(2) destination port(2) sequence(4) acknowledgment(4) offset+reserved(1) flags(1)
//   window(2) checksum(2) urgent(2)
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kHeaderBytes = 20;
constexpr uint8_t kMaxWindowScale = 14;      // RFC 7323 2.3
constexpr uint16_t kFastOpenMagic = 0xf989;  // RFC 7413: in the experimental options

enum Option : uint8_t {
  kEnd = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8,
  kMd5 = 19,
  kAo = 29,
  kFastOpen = 34,
  kExperiment1 = 253,
  kExperiment2 = 254,
};

struct OptionParser {
  Packet& p;
  bool sack_seen = false;

  void bad_length() { p.events.set(PacketEvent::kTcpOptInvalidLen); }
  // True when the option is there for the first time and has the right length.
  bool accept(bool length_ok, bool seen) {
    if (!length_ok) {
      bad_length();
      return false;
    }
    if (seen) {
      p.events.set(PacketEvent::kTcpOptDuplicate);
      return false;
    }
    return true;
  }

  void option(uint8_t kind, Bytes body) {  // body: after kind and length
    TcpFields& t = p.tcp;
    switch (kind) {
      case kMss:
        if (accept(body.size() == 2, t.has_mss)) {
          t.has_mss = true;
          t.mss = load_u16(body.data());
        }
        break;
      case kWindowScale:
        if (accept(body.size() == 1, t.has_wscale)) {
          t.has_wscale = true;
          t.wscale = body[0] <= kMaxWindowScale ? body[0] : 0;
        }
        break;
      case kSackPermitted:
        if (accept(body.empty(), t.sack_permitted)) t.sack_permitted = true;
        break;
      case kSack:
        // Without blocks it says nothing, which is odd but no error.
        if (accept(body.size() <= 32 && body.size() % 8 == 0, sack_seen)) {
          sack_seen = true;
          t.sack = body;
        }
        break;
      case kTimestamps:
        if (accept(body.size() == 8, t.has_timestamps)) {
          t.has_timestamps = true;
          t.ts_value = load_u32(body.data());
          t.ts_echo = load_u32(body.data() + 4);
        }
        break;
      case kFastOpen:
        fast_open(body);
        break;
      case kExperiment1:
      case kExperiment2:
        if (body.size() >= 2 && load_u16(body.data()) == kFastOpenMagic) fast_open(body.subspan(2));
        break;
      case kMd5:
        if (accept(body.size() == 16, t.has_md5)) t.has_md5 = true;
        break;
      case kAo:
        if (accept(body.size() >= 2, t.has_ao)) t.has_ao = true;
        break;
      default:
        break;
    }
  }

  // A cookie of 4 to 16 bytes, an even number; or empty, which asks for one.
  void fast_open(Bytes cookie) {
    const size_t n = cookie.size();
    if (accept(n == 0 || (n >= 4 && n <= 16 && n % 2 == 0), p.tcp.has_fast_open))
      p.tcp.has_fast_open = true;
  }
};

void decode_options(Packet& p, Bytes options) {
  // What nearly every segment of a connection has: NOP NOP timestamps.
  if (options.size() == 12 && load_u32(options.data()) == 0x0101080a) {
    p.tcp.has_timestamps = true;
    p.tcp.ts_value = load_u32(options.data() + 4);
    p.tcp.ts_echo = load_u32(options.data() + 8);
    return;
  }
  OptionParser parser{p};
  for (size_t i = 0; i < options.size();) {
    const uint8_t kind = options[i];
    if (kind == kEnd) return;
    if (kind == kNop) {
      ++i;
      continue;
    }
    if (options.size() - i < 2) return;
    const uint8_t length = options[i + 1];
    if (length < 2 || length > options.size() - i) {
      parser.bad_length();
      return;
    }
    parser.option(kind, options.subspan(i + 2, length - 2u));
    i += length;
  }
}

}  // namespace

bool decode_tcp(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.tcp;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kTcpPktTooSmall);
  const uint8_t* h = bytes.data();
  const size_t header_bytes = (h[12] >> 4) * 4u;
  if (bytes.size() < header_bytes) return c.invalid(p, PacketEvent::kTcpHlenTooSmall);
  if (header_bytes < kHeaderBytes) return c.invalid(p, PacketEvent::kTcpInvalidOptlen);
  p.is_tcp = true;
  p.wants_flow = true;
  p.sport = load_u16(h);
  p.dport = load_u16(h + 2);
  TcpFields& t = p.tcp;
  t.seq = load_u32(h + 4);
  t.ack = load_u32(h + 8);
  t.reserved = h[12] & 0x0f;
  t.flags = h[13];
  t.window = load_u16(h + 14);
  t.checksum = load_u16(h + 16);
  t.urgent = load_u16(h + 18);
  p.transport_header = bytes.first(header_bytes);
  p.payload = bytes.subspan(header_bytes);
  if (header_bytes > kHeaderBytes) {
    t.options = p.transport_header.subspan(kHeaderBytes);
    decode_options(p, t.options);
  }
  return true;
}

}  // namespace vong::decode
