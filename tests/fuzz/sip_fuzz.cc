// Rooms: applayer_sip.
#include "sensor/applayer/sip/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  return vong::fuzz::fuzz_parser(vong::sip::kSipProtocol, data, size);
}
