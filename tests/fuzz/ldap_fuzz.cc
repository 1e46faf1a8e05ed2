// Rooms: applayer_ldap.
#include "sensor/applayer/ldap/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  return vong::fuzz::fuzz_parser(vong::ldap::kLdapProtocol, data, size);
}
