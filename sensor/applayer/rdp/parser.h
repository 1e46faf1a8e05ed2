// RDP until it is encrypted or connected. Every message of the connection is a transaction of its
// own, in one direction; when both sides agree on TLS, so is the server's certificate.
#pragma once

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/rdp/message.h"

namespace vong::rdp {

struct Transaction : applayer::Transaction {
  Direction direction = Direction::kToServer;
  bool tls_handshake = false;  // else `message`
  Message message;
};

class RdpParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return over_; }

 private:
  Transaction* begin(Direction d);
  applayer::ParseResult tls(Direction d, Bytes data);
  bool message(Direction d, Bytes bytes);

  bool tls_ = false;   // what comes now is TLS
  bool over_ = false;  // nothing that anybody looks at
};

extern const applayer::ProtocolDef kRdpProtocol;

}  // namespace vong::rdp
