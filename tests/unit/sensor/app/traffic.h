// Frames for tests of the whole worker: IPv4 in Ethernet, checksums not filled in (run with
// checksum validation off).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sensor/packet/types.h"

namespace vong::sensor {

class Traffic {
 public:
  using Frame = std::string;

  static Frame ip(uint8_t protocol, std::string_view src, std::string_view dst,
                  std::string_view payload) {
    Frame f("\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0", 14);
    const auto total = static_cast<uint16_t>(20 + payload.size());
    f += '\x45';
    f += '\0';
    put16(f, total);
    f += std::string("\0\1\0\0\x40", 5);
    f += static_cast<char>(protocol);
    f += std::string(2, '\0');
    f.append(src).append(dst).append(payload);
    return f;
  }
  static Frame udp(std::string_view src, uint16_t sport, std::string_view dst, uint16_t dport,
                   std::string_view data) {
    std::string u;
    put16(u, sport);
    put16(u, dport);
    put16(u, static_cast<uint16_t>(8 + data.size()));
    put16(u, 0);
    return ip(17, src, dst, u.append(data));
  }
  static Frame tcp(std::string_view src, uint16_t sport, std::string_view dst, uint16_t dport,
                   uint32_t seq, uint32_t ack, uint8_t flags, std::string_view data = "") {
    std::string t;
    put16(t, sport);
    put16(t, dport);
    put32(t, seq);
    put32(t, ack);
    t += '\x50';
    t += static_cast<char>(flags);
    put16(t, 65535);
    put16(t, 0);
    put16(t, 0);
    return ip(6, src, dst, t.append(data));
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
  static void put16(std::string& out, uint16_t v) {
    out += static_cast<char>(v >> 8);
    out += static_cast<char>(v & 0xff);
  }
  static void put32(std::string& out, uint32_t v) {
    put16(out, static_cast<uint16_t>(v >> 16));
    put16(out, static_cast<uint16_t>(v & 0xffff));
  }
};

}  // namespace vong::sensor
