// Rooms: applayer_imap.
#include "sensor/applayer/imap/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || (data[0] & 1) != 0) return 0;
  return vong::fuzz::fuzz_parser(vong::imap::kImapProtocol, data, size);
}
