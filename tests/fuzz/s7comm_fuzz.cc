// Rooms: applayer_s7comm.
#include "sensor/applayer/s7comm/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || (data[0] & 1) != 0) return 0;  // a stream protocol
  return vong::fuzz::fuzz_parser(vong::s7comm::kS7commProtocol, data, size);
}
