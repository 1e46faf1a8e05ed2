#include "sensor/applayer/formats/dcerpc.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/formats/text.h"

namespace vong::formats::dcerpc {
namespace {

constexpr std::array<std::string_view, kPacketTypeMax + 1> kNames = {
    "REQUEST",   "PING",     "RESPONSE",      "FAULT",
    "WORKING",   "NOCALL",   "REJECT",        "ACK",
    "CL_CANCEL", "FACK",     "CANCEL_ACK",    "BIND",
    "BINDACK",   "BINDNAK",  "ALTER_CONTEXT", "ALTER_CONTEXT_RESP",
    "AUTH3",     "SHUTDOWN", "CO_CANCEL",     "ORPHANED",
    "RTS"};

constexpr size_t kUuidBytes = 16;
constexpr size_t kOpnumRangesMax = 1024;

// Numbers in the sender's byte order.
class Reader {
 public:
  Reader(Bytes unit, const Header& h)
      : in_(unit.first(std::min<size_t>(unit.size(), h.fragment_bytes))), little_(h.little_endian) {
    in_.skip(kHeaderBytes);
  }
  uint8_t u8() { return in_.u8(); }
  uint16_t u16() { return little_ ? in_.u16_le() : in_.u16(); }
  uint32_t u32() { return little_ ? in_.u32_le() : in_.u32(); }
  // In big-endian order, whatever the sender's is.
  std::string uuid() {
    const Bytes b = in_.bytes(kUuidBytes);
    std::string out(as_text(b));
    if (little_ && out.size() == kUuidBytes) {
      std::reverse(out.begin(), out.begin() + 4);
      std::reverse(out.begin() + 4, out.begin() + 6);
      std::reverse(out.begin() + 6, out.begin() + 8);
    }
    return out;
  }
  void skip(size_t n) { in_.skip(n); }
  void align4() {
    if (const size_t over = in_.position() % 4; over != 0) in_.skip(4 - over);
  }
  Bytes rest() { return in_.rest(); }
  [[nodiscard]] bool ok() const { return in_.ok(); }

 private:
  ByteReader in_;
  bool little_;
};

// What stands behind the call: padding and verifier are not cut off, as the reference has it.
Bytes stub_of(Reader& in) { return in.rest(); }

}  // namespace

std::string_view name_of(uint8_t packet_type) {
  return packet_type <= kPacketTypeMax ? kNames[packet_type] : "UNKNOWN";
}

std::optional<Header> read_header(Bytes unit) {
  if (unit.size() < kHeaderBytes) return std::nullopt;
  Header h;
  h.version = unit[0];
  h.minor = unit[1];
  h.type = unit[2];
  h.flags = unit[3];
  h.little_endian = (unit[4] & 0x10) != 0;
  ByteReader in(unit.subspan(8));
  h.fragment_bytes = h.little_endian ? in.u16_le() : in.u16();
  h.auth_bytes = h.little_endian ? in.u16_le() : in.u16();
  h.call_id = h.little_endian ? in.u32_le() : in.u32();
  return h;
}

std::optional<Header> parse_header(Bytes unit) {
  const auto h = read_header(unit);
  return h && h->version == 5 && h->fragment_bytes >= kHeaderBytes ? h : std::nullopt;
}

std::vector<Interface> parse_bind(Bytes unit, const Header& h) {
  std::vector<Interface> out;
  Reader in(unit, h);
  in.skip(8);  // fragment sizes, association group
  const uint8_t count = in.u8();
  in.skip(3);
  for (uint8_t i = 0; i < count; ++i) {
    Interface each;
    each.from_first_fragment = h.first();
    each.context_id = in.u16();
    const uint8_t syntaxes = in.u8();
    in.skip(1);
    each.uuid = in.uuid();
    each.version = in.u16();
    each.minor = in.u16();
    in.skip(size_t{20} * syntaxes);
    if (!in.ok()) break;
    out.push_back(std::move(each));
  }
  return out;
}

bool apply_ack(Bytes unit, const Header& h, std::vector<Interface>& interfaces) {
  Reader in(unit, h);
  in.skip(8);
  const uint16_t address_bytes = in.u16();
  in.skip(address_bytes);
  in.align4();
  const uint8_t count = in.u8();
  in.skip(3);
  for (uint8_t i = 0; i < count; ++i) {
    const uint16_t result = in.u16(), reason = in.u16();
    in.skip(20);  // transfer syntax
    if (!in.ok()) return i > 0;
    if (i >= interfaces.size()) break;
    interfaces[i].acked = true;
    interfaces[i].ack_result = result;
    interfaces[i].ack_reason = reason;
  }
  return in.ok();
}

std::optional<Call> parse_request(Bytes unit, const Header& h) {
  Reader in(unit, h);
  Call c;
  in.skip(4);  // allocation hint
  c.context_id = in.u16();
  c.opnum = in.u16();
  if (!in.ok()) return std::nullopt;
  c.stub = stub_of(in);
  return c;
}

std::optional<Call> parse_response(Bytes unit, const Header& h) {
  Reader in(unit, h);
  Call c;
  in.skip(4);
  c.context_id = in.u16();
  in.skip(2);  // cancel count
  if (!in.ok()) return std::nullopt;
  c.stub = stub_of(in);
  return c;
}

bool InterfaceTest::matches(const Interface& i) const {
  if (i.uuid != uuid) return false;
  switch (op) {
    case '<':
      return i.version < version;
    case '>':
      return i.version > version;
    case '=':
      return i.version == version;
    case '!':
      return i.version != version;
    default:
      return true;
  }
}

Result<InterfaceTest> parse_interface_test(std::string_view value) {
  InterfaceTest test;
  bool first = true;
  for (std::string_view part : split(value, ',')) {
    part = strip(part);
    if (first) {
      test.uuid = parse_uuid(part);
      if (test.uuid.empty()) return fail("expected an interface UUID");
      first = false;
    } else if (part == "any_frag") {
      test.any_fragment = true;
    } else if (!part.empty() && std::string_view("<>=!").find(part[0]) != std::string_view::npos) {
      test.op = part[0];
      part = strip(part.substr(1));
      const auto [end, error] =
          std::from_chars(part.data(), part.data() + part.size(), test.version);
      if (error != std::errc() || end != part.data() + part.size())
        return fail("the interface's version is a number up to 65535");
    } else {
      return fail("expected <uuid>[, <op><version>][, any_frag]");
    }
  }
  return test;
}

bool OpnumTest::matches(uint16_t opnum) const {
  return std::ranges::any_of(ranges,
                             [&](const Range& r) { return opnum >= r.low && opnum <= r.high; });
}

Result<OpnumTest> parse_opnum_test(std::string_view value) {
  OpnumTest test;
  const auto number = [](std::string_view text, uint16_t& out) {
    text = strip(text);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  };
  for (const std::string_view part : split(value, ',')) {
    OpnumTest::Range r;
    const size_t dash = part.find('-');
    const bool ok = dash == std::string_view::npos
                        ? number(part, r.low) && number(part, r.high)
                        : number(part.substr(0, dash), r.low) &&
                              number(part.substr(dash + 1), r.high) && r.low <= r.high;
    if (!ok) return fail("operation numbers are a list such as 15,18,20-22");
    if (test.ranges.size() >= kOpnumRangesMax) return fail("too many operation numbers");
    test.ranges.push_back(r);
  }
  return test;
}

}  // namespace vong::formats::dcerpc
