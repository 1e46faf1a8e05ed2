// HTTP/1: rooms applayer_http, applayer_core. Input format: parser_fuzz.h.
#include "sensor/applayer/http/parser.h"
#include "tests/fuzz/parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return vong::fuzz::fuzz_parser(vong::http::kHttp1Protocol, data, size);
}
