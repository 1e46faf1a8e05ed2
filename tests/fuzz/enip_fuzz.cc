// Rooms: applayer_enip.
#include "sensor/applayer/enip/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return vong::fuzz::fuzz_parser(vong::enip::kEnipProtocol, data, size);
}
