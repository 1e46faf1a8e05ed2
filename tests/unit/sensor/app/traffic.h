// Frames for tests of the whole worker: IPv4 in Ethernet. Checksums of TCP and UDP are not filled
// in (run with checksum validation off).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sensor/packet/types.h"
#include "tests/unit/sensor/decode/frame.h"

namespace vong::sensor {

class Traffic {
 public:
  using Frame = std::string;

  static Frame ip(uint8_t protocol, std::string_view src, std::string_view dst,
                  std::string_view payload) {
    test::Ipv4Options options;
    options.fragment = 0x4000;
    options.src = address(src);
    options.dst = address(dst);
    return text_of(
        test::ethernet(test::kEtherIpv4, test::ipv4(protocol, test::text(payload), options)));
  }
  static Frame udp(std::string_view src, uint16_t sport, std::string_view dst, uint16_t dport,
                   std::string_view data) {
    return ip(test::kProtoUdp, src, dst, text_of(test::udp(sport, dport, test::text(data))));
  }
  static Frame tcp(std::string_view src, uint16_t sport, std::string_view dst, uint16_t dport,
                   uint32_t seq, uint32_t ack, uint8_t flags, std::string_view data = "") {
    return ip(test::kProtoTcp, src, dst,
              text_of(test::tcp(sport, dport, flags, test::text(data), {}, seq, ack)));
  }
  // A connection with its handshake; data in both directions in turn, each acknowledged by the
  // next.
  static std::vector<Frame> connection(uint16_t sport, std::vector<std::string> client,
                                       const std::string& answer = "ok") {
    constexpr uint8_t kSyn = 2, kAck = 16, kFin = 1;
    std::vector<Frame> out;
    uint32_t c = 1001, s = 5001;
    out.push_back(tcp(kClient, sport, kServer, 80, 1000, 0, kSyn));
    out.push_back(tcp(kServer, 80, kClient, sport, 5000, 1001, kSyn | kAck));
    out.push_back(tcp(kClient, sport, kServer, 80, c, s, kAck));
    for (const std::string& data : client) {
      out.push_back(tcp(kClient, sport, kServer, 80, c, s, kAck | 8, data));
      c += static_cast<uint32_t>(data.size());
      out.push_back(tcp(kServer, 80, kClient, sport, s, c, kAck | 8, answer));
      s += static_cast<uint32_t>(answer.size());
    }
    out.push_back(tcp(kClient, sport, kServer, 80, c, s, kAck | kFin));
    out.push_back(tcp(kServer, 80, kClient, sport, s, c + 1, kAck | kFin));
    out.push_back(tcp(kClient, sport, kServer, 80, c + 1, s + 1, kAck));
    return out;
  }
  static RawPacket raw(const Frame& frame, uint64_t number, int64_t us) {
    RawPacket p;
    p.ts = timestamp_from_ns(1'700'000'000'000'000'000 + us * 1000);
    p.data = as_bytes(frame);
    p.wire_len = static_cast<uint32_t>(frame.size());
    p.number = number;
    return p;
  }

  static constexpr std::string_view kClient{"\x0a\0\0\1", 4}, kServer{"\x0a\0\0\2", 4};

 private:
  static std::string text_of(const test::Buffer& b) { return {b.begin(), b.end()}; }
  static uint32_t address(std::string_view four) {
    uint32_t n = 0;
    for (const char c : four) n = n << 8 | static_cast<uint8_t>(c);
    return n;
  }
};

}  // namespace vong::sensor
