// Messages of the BitTorrent DHT (BEP 5, IPv6: BEP 32): bencoded dictionaries, one a datagram.
//
//   d1:ad2:id20:...e1:q4:ping1:t2:aa1:y1:qe      q: query, r: response, e: error
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"

namespace vong::bittorrent_dht {

struct Node {
  Bytes id;  // 20 bytes; empty for a peer
  IpAddress ip;
  uint16_t port = 0;
};

// All views are into the datagram that was parsed.
struct Message {
  Bytes transaction_id, client_version;
  char kind = 0;  // 'q', 'r', 'e'
  Bytes query;    // "ping"
  // Of the arguments or the response.
  std::optional<Bytes> id, target, info_hash, token;
  std::optional<uint64_t> implied_port, port;
  std::vector<Node> nodes, nodes6, values;
  uint64_t error_number = 0;
  Bytes error_text;
};

// False: no bencoded dictionary, or one that lacks what its kind must have; what was read up to there
// stands in `m`.
[[nodiscard]] bool parse_message(Bytes datagram, Message& m);

}  // namespace vong::bittorrent_dht
