// decode_bench CAPTURE|DIR [ROUNDS] [--protocols]: nanoseconds a packet of reading alone and of
// decoding, each over the same packets. Checks its answer: every round must give the same number of
// packets. With --protocols the decoder's counters and events too.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "sensor/capture/pcap_file.h"
#include "sensor/decode/decoder.h"
#include "sensor/reassembly/ip_defrag.h"

namespace {

using namespace vong;

struct Round {
  double read_ns = 0, decode_ns = 0;  // a packet
  uint64_t packets = 0, bytes = 0, decoded = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename F>
uint64_t for_each_packet(const std::vector<std::string>& paths, F f) {
  auto source = capture::open_pcap_files(paths);
  std::array<RawPacket, 64> batch;
  uint64_t packets = 0;
  for (;;) {
    size_t count = 0;
    const auto status = source->next_batch(batch, count);
    if (status == capture::ReadStatus::kEnd) return packets;
    if (status == capture::ReadStatus::kError) fmt::print(stderr, "{}\n", source->error());
    for (size_t i = 0; i < count; ++i) f(batch[i]);
    packets += count;
  }
}

void print_protocols(const decode::DecodeCounters& c) {
  const auto line = [](const char* name, uint64_t n) {
    if (n != 0) fmt::print("{:24} {}\n", name, n);
  };
#define LINE(x) line(#x, c.x)
  LINE(pkts);
  LINE(bytes);
  LINE(invalid);
  LINE(ethernet);
  LINE(arp);
  LINE(unknown_ethertype);
  LINE(chdlc);
  LINE(sll);
  LINE(sll2);
  LINE(null);
  LINE(raw);
  LINE(ppp);
  LINE(pppoe);
  LINE(vlan);
  LINE(vlan_qinq);
  LINE(vlan_qinqinq);
  LINE(vntag);
  LINE(ieee8021ah);
  LINE(macsec);
  LINE(mpls);
  LINE(nsh);
  LINE(ipv4);
  LINE(ipv6);
  LINE(ipv4_in_ipv4);
  LINE(ipv6_in_ipv4);
  LINE(ipv4_in_ipv6);
  LINE(ipv6_in_ipv6);
  LINE(tcp);
  LINE(udp);
  LINE(sctp);
  LINE(icmpv4);
  LINE(icmpv6);
  LINE(igmp);
  LINE(esp);
  LINE(ah);
  LINE(gre);
  LINE(erspan);
  LINE(vxlan);
  LINE(geneve);
  LINE(teredo);
  LINE(too_many_layers);
  LINE(unknown_link_type);
  LINE(tunnels);
  LINE(tunnels_refused);
  LINE(defragmented);
#undef LINE
  for (const auto& e : all_packet_events()) {
    if (const uint64_t n = c.events[static_cast<size_t>(e.event)]; n != 0)
      fmt::print("event {:18} {}\n", e.name, n);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  int rounds = 5;
  bool protocols = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--protocols") == 0)
      protocols = true;
    else if (path.empty())
      path = argv[i];
    else
      rounds = std::max(1, std::atoi(argv[i]));
  }
  if (path.empty()) {
    fmt::print(stderr, "usage: decode_bench CAPTURE|DIR [ROUNDS] [--protocols]\n");
    return 2;
  }
  auto paths = capture::list_captures(path);
  if (!paths) {
    fmt::print(stderr, "{}\n", paths.error().message);
    return 2;
  }
  std::vector<Round> results;
  for (int r = 0; r < rounds; ++r) {
    Round round;
    auto start = std::chrono::steady_clock::now();
    round.packets =
        for_each_packet(*paths, [&](const RawPacket& raw) { round.bytes += raw.data.size(); });
    const double read_s = seconds_since(start);

    reassembly::IpDefrag defrag{reassembly::DefragConfig{}};
    decode::Decoder decoder(decode::Config{}, &defrag);
    start = std::chrono::steady_clock::now();
    const uint64_t again = for_each_packet(
        *paths, [&](const RawPacket& raw) { round.decoded += decoder.decode(raw).size(); });
    const double both_s = seconds_since(start);
    if (again != round.packets || round.decoded < round.packets ||
        (r > 0 && round.decoded != results[0].decoded)) {
      fmt::print(stderr, "decode_bench: rounds differ\n");
      return 1;
    }
    const double n = std::max<double>(1, static_cast<double>(round.packets));
    round.read_ns = read_s * 1e9 / n;
    round.decode_ns = (both_s - read_s) * 1e9 / n;
    results.push_back(round);
    if (protocols && r == 0) print_protocols(decoder.counters());
  }
  const auto median = [&](double Round::*field) {
    std::sort(results.begin(), results.end(),
              [&](const Round& a, const Round& b) { return a.*field < b.*field; });
    return results[results.size() / 2].*field;
  };
  const double read = median(&Round::read_ns), decode = median(&Round::decode_ns);
  fmt::print("{} packets, {} bytes, {} decoded; ns a packet: read {:.1f}, decode {:.1f}\n",
             results[0].packets, results[0].bytes, results[0].decoded, read, decode);
  return 0;
}
