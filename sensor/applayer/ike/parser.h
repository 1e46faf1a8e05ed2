// IKE over UDP: every message is a transaction of its own, in one direction. What the exchange has
// agreed on so far stands in each of version 1's transactions.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/ike/message.h"

namespace vong::ike {

enum Event : applayer::EventId {
  kMalformedData,
  kNoEncryption,
  kWeakCryptoEnc,
  kWeakCryptoPrf,
  kWeakCryptoDh,
  kWeakCryptoAuth,
  kWeakCryptoNoDh,
  kWeakCryptoNoAuth,
  kInvalidProposal,
  kUnknownProposal,
  kPayloadExtraData,
  kMultipleServerProposal,
  kEventCount
};

struct Side {
  std::string key_exchange, nonce;
};

// Version 1: of the flow, as it stood when a message had been read.
struct Exchange {
  std::optional<uint32_t> domain_of_interpretation;
  std::array<Side, kDirections> sides;
  std::vector<Transform> chosen;  // the server's
};

struct Transaction : applayer::Transaction {
  Direction direction = Direction::kToServer;
  Header header;
  std::string init_spi, resp_spi;  // 16 hex digits
  std::vector<uint8_t> payload_types;

  // Version 1: of this message.
  std::string key_exchange, nonce;
  std::vector<Transform> transforms;
  std::vector<std::string> vendors;  // hex
  Exchange exchange;                 // left empty for encrypted messages

  // Version 2.
  uint32_t errors = 0;
  std::vector<uint16_t> notifications;
};

class IkeParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }

 private:
  void version1(Transaction& tx, const std::vector<Payload>& payloads);
  void version2(Transaction& tx, const std::vector<Payload>& payloads);

  Exchange exchange_;
};

[[nodiscard]] bool write_ike(const applayer::Transaction& tx, const applayer::LogContext& context,
                             JsonWriter& out);

extern const applayer::ProtocolDef kIkeProtocol;

}  // namespace vong::ike
