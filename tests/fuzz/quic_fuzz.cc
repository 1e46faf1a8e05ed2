// Rooms: applayer_quic.
#include "sensor/applayer/quic/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || (data[0] & 1) == 0) return 0;  // datagrams
  return vong::fuzz::fuzz_parser(vong::quic::kQuicProtocol, data, size);
}
