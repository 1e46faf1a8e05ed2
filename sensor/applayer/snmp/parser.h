// SNMP over UDP and TCP: every message is a transaction of its own, in one direction.
#pragma once

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/snmp/message.h"

namespace vong::snmp {

enum Event : applayer::EventId {
  kMalformedData,
  kUnknownSecurityModel,
  kVersionMismatch,
  kEventCount
};

struct Transaction : applayer::Transaction {
  Direction direction = Direction::kToServer;
  Message message;
};

class SnmpParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }

 private:
  bool message(Direction d, Bytes bytes);

  uint32_t version_ = 0;  // of the flow's first message
};

extern const applayer::ProtocolDef kSnmpProtocol;

}  // namespace vong::snmp
