// Bytes as a capture file, pcap and pcapng. Room: sensor/capture.
//
// Read packet by packet and in batches: both must give the same packets, each within the caps, and
// end.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sensor/capture/limits.h"
#include "sensor/capture/pcap_file.h"

namespace {

struct Seen {
  uint64_t packets = 0, sum = 0, errors = 0;
  bool operator==(const Seen&) const = default;
};

Seen read_all(const std::string& path, size_t batch_size) {
  using namespace vong::capture;
  auto source = open_pcap_files({path});
  std::array<vong::RawPacket, 16> batch;
  Seen seen;
  for (;;) {
    size_t count = 0;
    const ReadStatus status = source->next_batch(std::span(batch).first(batch_size), count);
    if (status == ReadStatus::kEnd) break;
    if (status == ReadStatus::kError) ++seen.errors;
    for (size_t i = 0; i < count; ++i) {
      const auto& p = batch[i];
      ++seen.packets;
      if (p.data.size() > kMaxPacketBytes || p.wire_len < p.data.size()) std::abort();
      seen.sum = seen.sum * 31 + p.wire_len + static_cast<uint64_t>(vong::to_ns(p.ts)) +
                 static_cast<uint64_t>(p.link_type);
      for (const uint8_t b : p.data) seen.sum = seen.sum * 31 + b;
    }
  }
  if (seen.errors > 1) std::abort();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("capture", 0);
  if (fd < 0) return 0;
  if (write(fd, data, size) == static_cast<ssize_t>(size)) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    if (read_all(path, 1) != read_all(path, 16)) {
      std::fprintf(stderr, "batches differ from single packets\n");
      std::abort();
    }
  }
  close(fd);
  return 0;
}
