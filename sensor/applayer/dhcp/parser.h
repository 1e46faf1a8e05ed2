// DHCP (RFC 2131 section 2, options RFC 2132). Every message is a transaction of its own, in one
// direction.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::dhcp {

enum Event : applayer::EventId { kTruncatedOptions, kMalformedOptions, kEventCount };

enum OptionCode : uint8_t {
  kPad = 0,
  kSubnetMask = 1,
  kRouters = 3,
  kDnsServer = 6,
  kHostname = 12,
  kRequestedAddress = 50,
  kLeaseTime = 51,
  kMessageType = 53,
  kParameterList = 55,
  kRenewalTime = 58,
  kRebindingTime = 59,
  kVendorClass = 60,
  kClientId = 61,
  kEnd = 255
};

enum MessageType : uint8_t { kAck = 5 };

struct Option {
  uint8_t code = 0;
  std::string data;
};

struct Transaction : applayer::Transaction {
  Direction direction = Direction::kToServer;
  uint8_t opcode = 0;  // 1 request, 2 reply
  uint32_t xid = 0;
  std::array<uint32_t, 4> addresses{};  // client, assigned, next server, relay
  std::string client_mac;
  std::vector<Option> options;

  [[nodiscard]] const Option* option(uint8_t code) const;
  // Of options whose value is a 32-bit number.
  [[nodiscard]] std::optional<uint64_t> number(uint8_t code) const;
};

class DhcpParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
};

[[nodiscard]] bool log_dhcp(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);
[[nodiscard]] bool alert_dhcp(const applayer::Transaction& tx, const applayer::LogContext& context,
                              JsonWriter& out);

extern const applayer::ProtocolDef kDhcpProtocol;

}  // namespace vong::dhcp
