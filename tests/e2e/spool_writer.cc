// spool_writer DIR COUNT [GROUP]: appends records "event <n>" to a spool, n from 1 for each run,
// with an fsync after every GROUP (10). Prints the seq that is durable after each, so that whoever
// kills it knows what was accepted.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "exporters/spool/spool_sink.h"

int main(int argc, char** argv) {
  using namespace vong;
  if (argc < 3) return 2;
  Result<spool::Writer> writer = spool::Writer::open(
      spool::real_file_system(), {.directory = argv[1], .segment_bytes = 64 << 10});
  if (!writer) {
    std::fprintf(stderr, "%s\n", writer.error().message.c_str());
    return 1;
  }
  const long count = std::atol(argv[2]);
  const long group = argc > 3 ? std::atol(argv[3]) : 10;
  auto now = [] {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  };
  spool::SpoolSink sink(std::move(*writer));
  for (long i = 1; i <= count; ++i) {
    const std::string key = "flow-" + std::to_string(i % 17);
    const std::string value =
        "{\"event_type\":\"test\",\"seq\":" + std::to_string(sink.writer().last_seq() + 1) + "}";
    const sink::Item item{.key = key, .value = value, .ruleset = "r1"};
    if (sink.accept({&item, 1}, now()).accepted != 1) return 1;
    if (i % group != 0) continue;
    if (!sink.flush(now())) return 1;
    std::printf("%lu\n", static_cast<unsigned long>(sink.writer().durable_seq().load()));
    std::fflush(stdout);
  }
  if (!sink.close(now())) return 1;
  std::printf("%lu\n", static_cast<unsigned long>(sink.writer().durable_seq().load()));
  return 0;
}
