// Rooms: applayer_bittorrent_dht.
#include "sensor/applayer/bittorrent_dht/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || (data[0] & 1) == 0) return 0;
  return vong::fuzz::fuzz_parser(vong::bittorrent_dht::kBittorrentDhtProtocol, data, size);
}
