// Units of DCE RPC (C706, chapter 12; MS-RPCE): connection-oriented (version 5), as they stand on a
// TCP stream or a named pipe. Byte order is the sender's: a flag in each header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/bytes.h"
#include "base/result.h"

namespace vong::formats::dcerpc {

enum PacketType : uint8_t {
  kRequest = 0,
  kPing = 1,
  kResponse = 2,
  kFault = 3,
  kWorking = 4,
  kNoCall = 5,
  kReject = 6,
  kAck = 7,
  kClCancel = 8,
  kFack = 9,
  kCancelAck = 10,
  kBind = 11,
  kBindAck = 12,
  kBindNak = 13,
  kAlterContext = 14,
  kAlterContextResponse = 15,
  kAuth3 = 16,
  kShutdown = 17,
  kCoCancel = 18,
  kOrphaned = 19,
  kRts = 20,
};
inline constexpr uint8_t kPacketTypeMax = kRts;
// "REQUEST", "BINDACK"; "UNKNOWN" for what is none.
[[nodiscard]] std::string_view name_of(uint8_t packet_type);

inline constexpr size_t kHeaderBytes = 16;
inline constexpr uint8_t kFirstFragment = 1, kLastFragment = 2;

struct Header {
  uint8_t version = 0, minor = 0, type = 0, flags = 0;
  bool little_endian = true;
  uint16_t fragment_bytes = 0;  // with the header
  uint16_t auth_bytes = 0;
  uint32_t call_id = 0;

  [[nodiscard]] bool first() const { return (flags & kFirstFragment) != 0; }
  [[nodiscard]] bool last() const { return (flags & kLastFragment) != 0; }
};
// What stands there, whatever version and length it claims; nothing when there are fewer than kHeaderBytes.
[[nodiscard]] std::optional<Header> read_header(Bytes unit);
// The same; nothing also when version or length cannot be.
[[nodiscard]] std::optional<Header> parse_header(Bytes unit);

// What a client offers to speak, and what the server said to it.
struct Interface {
  uint16_t context_id = 0;
  std::string uuid;  // 16 bytes, big-endian order
  uint16_t version = 0, minor = 0;
  bool acked = false;
  bool from_first_fragment = true;  // of a bind; what a later fragment offers counts only where any fragment does
  uint16_t ack_result = 0, ack_reason = 0;
};
inline constexpr size_t kMaxInterfaces = 256;  // the count is one byte

// The list of a bind or alter_context (`unit` with its header); what is cut off is missing.
[[nodiscard]] std::vector<Interface> parse_bind(Bytes unit, const Header& h);
// Puts the results of a bind_ack or alter_context_resp to `interfaces`, in order. False: not
// readable.
bool apply_ack(Bytes unit, const Header& h, std::vector<Interface>& interfaces);

struct Call {
  uint16_t context_id = 0;
  uint16_t opnum = 0;  // requests only
  Bytes stub;          // points into the unit; an object's UUID before it belongs to it, as in the reference
};
[[nodiscard]] std::optional<Call> parse_request(Bytes unit, const Header& h);
[[nodiscard]] std::optional<Call> parse_response(Bytes unit, const Header& h);

// dcerpc.iface: "<uuid>[,<op><version>][,any_frag]", op one of < > = !.
struct InterfaceTest {
  std::string uuid;  // 16 bytes
  char op = 0;       // 0: any version
  uint16_t version = 0;
  bool any_fragment = false;

  [[nodiscard]] bool matches(const Interface& i) const;
};
[[nodiscard]] Result<InterfaceTest> parse_interface_test(std::string_view value);

// dcerpc.opnum: "15,18,20-22".
struct OpnumTest {
  struct Range {
    uint16_t low = 0, high = 0;
  };
  std::vector<Range> ranges;

  [[nodiscard]] bool matches(uint16_t opnum) const;
};
[[nodiscard]] Result<OpnumTest> parse_opnum_test(std::string_view value);

}  // namespace vong::formats::dcerpc
