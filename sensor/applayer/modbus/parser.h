// Modbus over TCP: a request and its response, found by transaction number, are one transaction.
#pragma once

#include <memory>
#include <optional>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/modbus/message.h"

namespace vong::modbus {

enum Event : applayer::EventId {
  kUnsolicitedResponse,
  kInvalidFunctionCode,
  kInvalidLength,
  kInvalidValue,
  kInvalidExceptionCode,
  kValueMismatch,
  kFlooded,
  kInvalidProtocolId,
  kInvalidUnitIdentifier,
  kEventCount
};

struct Transaction : applayer::Transaction {
  std::optional<Message> request, response;
};

class ModbusParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  void take_request(Message m);
  void take_response(Message m);
};

// The `modbus` keyword.
[[nodiscard]] Result<std::unique_ptr<applayer::TransactionMatcher>> parse_keyword(
    std::string_view value);

extern const applayer::ProtocolDef kModbusProtocol;

}  // namespace vong::modbus
