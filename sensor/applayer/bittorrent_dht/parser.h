// The BitTorrent DHT as a protocol of flows: every datagram is a transaction, going one way.
#pragma once

#include <string>

#include "sensor/applayer/bittorrent_dht/message.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::bittorrent_dht {

enum Event : applayer::EventId { kMalformedPacket, kEventCount };

struct Transaction : applayer::Transaction {
  std::string datagram;  // what the message's views are into
  Message message;
  Direction direction = Direction::kToServer;
};

class DhtParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
};

extern const applayer::ProtocolDef kBittorrentDhtProtocol;

}  // namespace vong::bittorrent_dht
