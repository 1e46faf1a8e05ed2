// EtherNet/IP over TCP and UDP: a request and its response, found by command, session and context,
// are one transaction.
#pragma once

#include <memory>
#include <optional>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/enip/message.h"

namespace vong::enip {

enum Event : applayer::EventId { kInvalidPdu, kTooManyTransactions, kEventCount };

enum FrameKind : uint8_t { kFrameHeader, kFrameData, kFramePdu };

struct Transaction : applayer::Transaction {
  std::optional<Message> request, response;
};

class EnipParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  bool message(Direction d, Bytes bytes);
  Transaction* transaction_of(Direction d, const Header& header);
};

[[nodiscard]] bool log_enip(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);

extern const applayer::ProtocolDef kEnipProtocol;

}  // namespace vong::enip
