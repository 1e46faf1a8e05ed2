// TFTP requests (RFC 1350 section 5): opcode(2) file name 0 mode 0. A request is a transaction;
// data and acknowledgements go between other ports and are flows of their own.
#pragma once

#include <string>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::tftp {

// Open transactions of a flow; requests are skipped while there are more.
inline constexpr size_t kMaxTransactions = 1024;

struct Transaction : applayer::Transaction {
  uint8_t opcode = 0;
  std::string file, mode;  // mode in lower case
};

class TftpParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
};

extern const applayer::ProtocolDef kTftpProtocol;

}  // namespace vong::tftp
