// NTP versions 3 and 4 (RFC 1305, RFC 5905 section 7.3): every message is a transaction of its own,
// in one direction.
#pragma once

#include <string>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::ntp {

// Open transactions of a flow; messages are skipped while there are more.
inline constexpr size_t kMaxTransactions = 1024;
inline constexpr size_t kMessageBytes = 48;

enum Event : applayer::EventId {
  kUnsolicitedResponse,
  kMalformedData,
  kNotRequest,
  kNotResponse,
  kEventCount
};

struct Transaction : applayer::Transaction {
  Direction direction = Direction::kToServer;
  uint8_t version = 0, mode = 0, stratum = 0;
  std::string reference_id;  // 4 bytes
};

class NtpParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
};

extern const applayer::ProtocolDef kNtpProtocol;

}  // namespace vong::ntp
