// Flow table and TCP engine alone: nanoseconds a packet with 10 thousand, 100 thousand and 1
// million connections at once, each packet of another connection than the one before, as on a real
// link. Checks its answer: every byte must arrive.
//
//   flow_bench [packets per round, default 4000000]
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "sensor/flow/flow_table.h"
#include "sensor/reassembly/tcp_engine.h"

namespace {

using namespace vong;

struct Counter : reassembly::StreamConsumer {
  uint64_t bytes = 0, gaps = 0;
  size_t on_data(flow::Flow&, Packet&, Direction, const reassembly::StreamChunk& chunk) override {
    bytes += chunk.data.size();
    return chunk.data.size();
  }
  void on_gap(flow::Flow&, Packet&, Direction, uint64_t, uint64_t) override { ++gaps; }
  bool wants(const flow::Flow&, Direction) const override { return true; }
};

struct Connection {
  uint32_t seq[2] = {1000, 5000};
};

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

uint64_t resident_bytes() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long size = 0, resident = 0;
  if (std::fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
  std::fclose(file);
  return uint64_t{resident} * 4096;
}

class Bench {
 public:
  Bench(size_t connections, size_t payload_bytes)
      : connections_(connections),
        payload_(payload_bytes, 'x'),
        engine_(config(), counter_),
        table_(flow_config()) {}

  // Opens all, then sends `packets` data segments and as many acknowledgements. Returns ns a
  // packet.
  bool run(uint64_t packets) {
    const uint64_t before = resident_bytes();
    for (size_t i = 0; i < connections_.size(); ++i) open(i);
    const uint64_t per_flow =
        (resident_bytes() - std::min(before, resident_bytes())) / connections_.size();
    const double start = cpu_seconds();
    uint64_t sent = 0;
    size_t at = 0;
    while (sent < packets) {
      // A stride that is prime to the number of connections: each packet finds another flow, far
      // away in memory.
      at = (at + 7919) % connections_.size();
      packet(at, 0, TcpFlags::kAck, payload_.size());
      packet(at, 1, TcpFlags::kAck, 0);
      sent += 2;
    }
    const double seconds = cpu_seconds() - start;
    const uint64_t expected = sent / 2 * payload_.size();
    fmt::print(
        "{:>9} connections {:>5} bytes a segment: {:6.1f} ns a packet, {:4} bytes an idle "
        "connection{}\n",
        connections_.size(), payload_.size(), seconds * 1e9 / static_cast<double>(sent), per_flow,
        counter_.bytes == expected && counter_.gaps == 0 ? "" : "  WRONG ANSWER");
    return counter_.bytes == expected && counter_.gaps == 0;
  }

 private:
  static reassembly::TcpConfig config() {
    reassembly::TcpConfig c;
    c.raw = false;
    c.memcap_bytes = c.reassembly_memcap_bytes = 0;
    c.depth_bytes = 0;
    return c;
  }
  static flow::FlowConfig flow_config() {
    flow::FlowConfig c;
    c.memcap_bytes = uint64_t{4} << 30;
    return c;
  }
  void open(size_t i) {
    packet(i, 0, TcpFlags::kSyn, 0);
    ++connections_[i].seq[0];
    packet(i, 1, TcpFlags::kSyn | TcpFlags::kAck, 0);
    ++connections_[i].seq[1];
    packet(i, 0, TcpFlags::kAck, 0);
  }
  void packet(size_t i, int from, uint8_t flags, size_t bytes) {
    Connection& c = connections_[i];
    Packet& p = packet_;
    p.reset();
    p.ts = timestamp_from_ns(now_ns_ += 100);
    p.number = ++number_;
    p.ip.version = 4;
    p.ip.ttl = 64;
    p.ip.protocol = 6;
    p.is_tcp = p.wants_flow = true;
    const IpAddress client = IpAddress::v4(0x0a000000u + static_cast<uint32_t>(i >> 14));
    const IpAddress server = IpAddress::v4(0xc0a80001u);
    const auto port = static_cast<uint16_t>(20000 + (i & 0x3fff));
    p.src = from == 0 ? client : server;
    p.dst = from == 0 ? server : client;
    p.sport = from == 0 ? port : 443;
    p.dport = from == 0 ? 443 : port;
    p.tcp.flags = flags;
    p.tcp.seq = c.seq[from];
    p.tcp.ack = (flags & TcpFlags::kAck) != 0 ? c.seq[1 - from] : 0;
    p.tcp.window = 60000;
    p.payload = Bytes(payload_.data(), bytes);
    p.frame = p.payload;
    c.seq[from] += static_cast<uint32_t>(bytes);
    flow::Flow* f = table_.lookup(p, p.ts);
    engine_.process(*f, p);
    table_.expire(p.ts, [](flow::Flow&, flow::FlowEndReason) {});
  }

  std::vector<Connection> connections_;
  std::vector<uint8_t> payload_;
  Counter counter_;
  reassembly::TcpEngine engine_;
  flow::FlowTable table_;
  Packet packet_;
  int64_t now_ns_ = 1'000'000'000;
  uint64_t number_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const uint64_t packets = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 4'000'000;
  fmt::print("sizeof: Flow {}, TcpSession {}, StreamBuffer {}\n", sizeof(flow::Flow),
             sizeof(reassembly::TcpSession), sizeof(reassembly::StreamBuffer));
  bool right = true;
  for (const size_t connections : {10'000, 100'000, 1'000'000}) {
    for (const size_t bytes : {0, 300, 1400}) {
      Bench bench(connections, bytes);
      right &= bench.run(packets);
    }
  }
  return right ? 0 : 1;
}
