// Rooms: applayer_dns.
#include "sensor/applayer/dns/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto& def = (data[0] & 2) != 0   ? vong::dns::kMdnsProtocol
                    : (data[0] & 4) != 0 ? vong::dns::kLlmnrProtocol
                                         : vong::dns::kDnsProtocol;
  return vong::fuzz::fuzz_parser(def, data, size);
}
