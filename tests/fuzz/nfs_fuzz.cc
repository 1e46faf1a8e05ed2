// Rooms: applayer_nfs.
#include "sensor/applayer/nfs/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  return vong::fuzz::fuzz_parser(vong::nfs::kNfsProtocol, data, size);
}
