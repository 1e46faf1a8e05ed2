// Frames of every link layer through decoder and defragmentation. Rooms: sensor/decode,
// sensor/reassembly.
//
// Input: link type (1 byte, an index), then frames: seconds that went by (1), length (2, big
// endian), bytes. All frames of one input meet the same decoder, so fragments find each other.
// Checked are the promises of tests/unit/sensor/decode/packet_checks.h and the caps.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "sensor/decode/decoder.h"
#include "sensor/reassembly/ip_defrag.h"
#include "tests/unit/sensor/decode/packet_checks.h"

namespace {

constexpr vong::LinkType kLinks[] = {
    vong::LinkType::kEthernet,  vong::LinkType::kRaw,       vong::LinkType::kNull,
    vong::LinkType::kLoop,      vong::LinkType::kPpp,       vong::LinkType::kLinuxSll,
    vong::LinkType::kLinuxSll2, vong::LinkType::kCiscoHdlc, vong::LinkType::kPppEther,
    vong::LinkType::kIpv4,      vong::LinkType::kIpv6,      vong::LinkType(147)};

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vong;
  if (size < 1) return 0;
  reassembly::DefragConfig limits;
  limits.max_trackers = 8;
  limits.other_readings = true;
  limits.max_fragments = 32;
  limits.memcap_bytes = 64u << 10;
  limits.policy_of =
      [policy = static_cast<reassembly::DefragPolicy>(data[0] / 16 % reassembly::kDefragPolicies)](
          const IpAddress&) { return policy; };
  reassembly::IpDefrag defrag(limits);
  decode::Config config;
  config.teredo_ports.any = (data[0] & 0x80) != 0;
  decode::Decoder decoder(config, &defrag);
  RawPacket raw;
  raw.link_type = kLinks[data[0] % 16 % std::size(kLinks)];
  Timestamp now{};
  for (size_t at = 1; at + 3 <= size;) {
    now += std::chrono::seconds(data[at]);
    const size_t length =
        std::min<size_t>(static_cast<size_t>(data[at + 1] << 8 | data[at + 2]), size - at - 3);
    // A copy of its own: a read beyond the frame is seen.
    const std::vector<uint8_t> frame(data + at + 3, data + at + 3 + length);
    at += 3 + length;
    raw.ts = now;
    raw.data = frame;
    raw.wire_len = static_cast<uint32_t>(length);
    ++raw.number;
    const auto packets = decoder.decode(raw);
    const std::string broken = test::broken_promise(packets);
    check(broken.empty(), broken.c_str());
    check(packets.size() <= decode::kMaxPacketsPerFrame, "packets of a frame");
    const auto& c = defrag.counters();
    check(c.trackers <= limits.max_trackers + 1, "trackers");
    check(c.fragments_held <= limits.max_fragments, "fragments");
    check(c.memory_bytes <= limits.memcap_bytes + 200'000, "memory");
  }
  return 0;
}
