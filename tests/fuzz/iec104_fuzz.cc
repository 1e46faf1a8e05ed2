// Rooms: applayer_iec104.
#include "sensor/applayer/iec104/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || (data[0] & 1) != 0) return 0;  // a stream protocol
  return vong::fuzz::fuzz_parser(vong::iec104::kIec104Protocol, data, size);
}
