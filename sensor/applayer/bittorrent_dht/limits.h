// Every maximum of the BitTorrent DHT, with what happens when it is reached.
#pragma once

#include <cstddef>

namespace vong::bittorrent_dht {

// Nesting of bencoded values: deeper is malformed.
inline constexpr size_t kMaxDepth = 8;
// Nodes and peers kept of a response; the rest is left out.
inline constexpr size_t kMaxNodes = 256;

}  // namespace vong::bittorrent_dht
