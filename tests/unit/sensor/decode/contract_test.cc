// The decoder contract, for one frame of each header: read whole; cut at every byte (as a short
// frame and as a short capture); and carried inside each kind of tunnel and tag.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sensor/decode/decoder.h"
#include "tests/unit/sensor/decode/frame.h"
#include "tests/unit/sensor/decode/packet_checks.h"

namespace vong::decode {
namespace {

using namespace vong::test;

// "tcp 10.0.0.1:1>10.0.0.2:2 payload" of a packet.
std::string summary(const Packet& p) {
  const char* name = p.is_tcp     ? "tcp"
                     : p.is_udp   ? "udp"
                     : p.is_sctp  ? "sctp"
                     : p.is_icmp4 ? "icmp"
                     : p.is_icmp6 ? "icmp6"
                     : p.is_esp   ? "esp"
                     : p.arp      ? "arp"
                                  : "other";
  std::string s = name;
  s += ' ' + p.src.to_string() + ':' + std::to_string(p.sport) + '>' + p.dst.to_string() + ':' +
       std::to_string(p.dport) + ' ';
  s += as_text(p.payload);
  return s;
}

const Buffer kTcp = ipv4(kProtoTcp, tcp(1, 2, TcpFlags::kAck, text("data"),
                                        bytes({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2})));
const Buffer kUdp6 = ipv6(kProtoUdp, udp(1, 2, text("data6")));
const std::string kTcpSummary = "tcp 10.0.0.1:1>10.0.0.2:2 data";
const std::string kUdp6Summary =
    "udp 2001:0db8:0000:0000:0000:0000:0000:0001:1>2001:0db8:0000:0000:0000:0000:0000:0002:2 data6";

Buffer mpls(uint32_t label, const Buffer& payload) { return be32(label << 12 | 0x1ff) + payload; }
Buffer mpls_stack(const Buffer& payload) { return be32(0x00010000 | 64) + mpls(100, payload); }
Buffer gre(unsigned protocol, const Buffer& payload) {
  return bytes({0, 0}) + be16(protocol) + payload;
}
Buffer gre_full(unsigned protocol, const Buffer& payload) {
  return bytes({0xb0, 0}) + be16(protocol) + be32(0) + be32(7) + be32(1) + payload;
}
Buffer pptp(const Buffer& ppp) {
  return bytes({0x30, 0x81}) + be16(0x880b) + be16(static_cast<unsigned>(ppp.size())) + be16(9) +
         be32(1) + be32(1) + ppp;
}
Buffer vxlan(const Buffer& frame) {
  return udp(4000, 4789, bytes({8, 0, 0, 0, 0, 0, 5, 0}) + frame);
}
Buffer geneve(unsigned type, const Buffer& inner) {
  return udp(4000, 6081,
             bytes({1, 0}) + be16(type) + bytes({0, 0, 5, 0}) + be32(0x01020000) + inner);
}
Buffer erspan2(const Buffer& frame) { return bytes({0x10, 0x17, 0, 0, 0, 0, 0, 0}) + frame; }
Buffer erspan3(const Buffer& frame) {
  return bytes({0x20, 0x17, 0, 0}) + be32(0) + be32(0) + frame;
}
Buffer nsh(uint8_t next, const Buffer& inner) {
  return bytes({0x0f, 0xc6, 1, next}) + be32(0x101) + fill(16, '\0') + inner;
}
Buffer pppoe(unsigned protocol, const Buffer& inner) {
  return bytes({0x11, 0, 0, 1}) + be16(static_cast<unsigned>(inner.size() + 2)) + be16(protocol) +
         inner;
}

struct Case {
  std::string name;
  LinkType link;
  Buffer frame;
  std::string innermost;  // summary of the first packet
  size_t packets;         // that come out
};

std::vector<Case> cases() {
  const auto eth = LinkType::kEthernet;
  const auto e4 = [](const Buffer& ip) { return ethernet(kEtherIpv4, ip); };
  const auto e6 = [](const Buffer& ip) { return ethernet(kEtherIpv6, ip); };
  const Buffer inner_frame = ethernet(kEtherIpv4, kTcp);
  std::vector<Case> all = {
      {"ethernet ipv4 tcp", eth, e4(kTcp), kTcpSummary, 1},
      {"ethernet ipv6 udp", eth, e6(kUdp6), kUdp6Summary, 1},
      {"vlan", eth, ethernet(kEtherVlan, vlan(5, kEtherIpv4, kTcp)), kTcpSummary, 1},
      {"qinq", eth, ethernet(kEtherQinq, vlan(5, kEtherVlan, vlan(6, kEtherIpv6, kUdp6))),
       kUdp6Summary, 1},
      {"802.1ah", eth, ethernet(0x88e7, be32(1) + fill(12, 'm') + be16(kEtherIpv4) + kTcp),
       kTcpSummary, 1},
      {"vntag", eth, ethernet(0x8926, be32(1) + be16(kEtherIpv4) + kTcp), kTcpSummary, 1},
      {"fabricpath", eth, ethernet(0x8903, be16(1) + inner_frame), kTcpSummary, 1},
      {"mpls ipv4", eth, ethernet(0x8847, mpls(100, kTcp)), kTcpSummary, 1},
      {"mpls stack ipv6", eth, ethernet(0x8847, mpls_stack(kUdp6)), kUdp6Summary, 1},
      {"mpls ethernet with control word", eth, ethernet(0x8847, mpls_stack(be32(0) + inner_frame)),
       kTcpSummary, 1},
      {"mpls ethernet without control word", eth, ethernet(0x8847, mpls_stack(inner_frame)),
       kTcpSummary, 1},
      {"nsh ipv4", eth, ethernet(0x894f, nsh(1, kTcp)), kTcpSummary, 1},
      {"nsh ethernet", eth, ethernet(0x894f, nsh(3, inner_frame)), kTcpSummary, 1},
      {"pppoe ipv4", eth, ethernet(0x8864, pppoe(0x21, kTcp)), kTcpSummary, 1},
      {"pppoe ipv6", eth, ethernet(0x8864, pppoe(0x57, kUdp6)), kUdp6Summary, 1},
      {"sll", LinkType::kLinuxSll, fill(14, '\0') + be16(kEtherIpv4) + kTcp, kTcpSummary, 1},
      {"sll2", LinkType::kLinuxSll2, be16(kEtherIpv4) + fill(18, '\0') + kTcp, kTcpSummary, 1},
      {"raw ipv4", LinkType::kRaw, kTcp, kTcpSummary, 1},
      {"raw ipv6", LinkType::kIpv6, kUdp6, kUdp6Summary, 1},
      {"null little endian", LinkType::kNull, bytes({2, 0, 0, 0}) + kTcp, kTcpSummary, 1},
      {"null big endian", LinkType::kNull, bytes({0, 0, 0, 30}) + kUdp6, kUdp6Summary, 1},
      {"cisco hdlc", LinkType::kCiscoHdlc, bytes({15, 0}) + be16(kEtherIpv4) + kTcp, kTcpSummary,
       1},
      {"ppp with framing", LinkType::kPpp, bytes({0xff, 3, 0, 0x21}) + kTcp, kTcpSummary, 1},
      {"ppp with short protocol", LinkType::kPpp, bytes({0x21}) + kTcp, kTcpSummary, 1},
      {"ip in ip", eth, e4(ipv4(4, kTcp)), kTcpSummary, 2},
      {"6in4", eth, e4(ipv4(41, kUdp6)), kUdp6Summary, 2},
      {"4in6", eth, e6(ipv6(4, kTcp)), kTcpSummary, 2},
      {"6in6", eth, e6(ipv6(41, kUdp6)), kUdp6Summary, 2},
      {"gre ipv4", eth, e4(ipv4(47, gre(kEtherIpv4, kTcp))), kTcpSummary, 2},
      {"gre with all fields", eth, e4(ipv4(47, gre_full(kEtherIpv6, kUdp6))), kUdp6Summary, 2},
      {"gre bridging", eth, e4(ipv4(47, gre(0x6558, inner_frame))), kTcpSummary, 2},
      {"pptp", eth, e4(ipv4(47, pptp(bytes({0xff, 3, 0, 0x21}) + kTcp))), kTcpSummary, 2},
      {"erspan 1", eth, e4(ipv4(47, gre(0x88be, inner_frame))), kTcpSummary, 2},
      {"erspan 2", eth,
       e4(ipv4(47, bytes({0x10, 0}) + be16(0x88be) + be32(1) + erspan2(inner_frame))), kTcpSummary,
       2},
      {"erspan 3", eth,
       e4(ipv4(47, bytes({0x10, 0}) + be16(0x22eb) + be32(1) + erspan3(inner_frame))), kTcpSummary,
       2},
      {"vxlan", eth, e4(ipv4(17, vxlan(inner_frame))), kTcpSummary, 2},
      {"geneve ethernet", eth, e4(ipv4(17, geneve(0x6558, inner_frame))), kTcpSummary, 2},
      {"geneve ipv6", eth, e4(ipv4(17, geneve(kEtherIpv6, kUdp6))), kUdp6Summary, 2},
      {"teredo", eth, e4(ipv4(17, udp(3544, 40000, kUdp6))), kUdp6Summary, 2},
      {"teredo with origin", eth, e4(ipv4(17, udp(3544, 40000, fill(8, '\0') + kUdp6))),
       kUdp6Summary, 2},
      {"ipv6 extension headers", eth,
       e6(ipv6(0, bytes({60, 0, 5, 2, 0, 0, 0, 0}) + bytes({43, 0, 5, 2, 0, 0, 0, 0}) +
                      bytes({17, 0, 4, 0, 0, 0, 0, 0}) + udp(1, 2, text("data6")))),
       kUdp6Summary, 1},
      {"ipv4 options", eth,
       e4(ipv4(17, udp(1, 2, text("x")), {.options = bytes({0x94, 4, 0, 0, 1, 1, 1, 1})})),
       "udp 10.0.0.1:1>10.0.0.2:2 x", 1},
      {"sctp", eth, e4(ipv4(132, be16(7) + be16(8) + be32(1) + be32(2) + text("chunks"))),
       "sctp 10.0.0.1:7>10.0.0.2:8 chunks", 1},
      {"icmp error", eth, e4(ipv4(1, icmp(11, 0, be32(0) + kTcp))), "", 1},
      {"icmp6 error", eth, e6(ipv6(58, icmp(1, 0, be32(0) + kUdp6))), "", 1},
      {"igmp", eth, e4(ipv4(2, bytes({0x22, 0, 0, 0, 0, 0, 0, 1}) + fill(8, '\0'))), "", 1},
      {"esp", eth, e4(ipv4(50, be32(77) + be32(1) + text("cipher"))),
       "esp 10.0.0.1:0>10.0.0.2:0 cipher", 1},
      {"arp", eth,
       ethernet(0x0806, be16(1) + be16(0x0800) + bytes({6, 4, 0, 1}) + fill(6, 'a') +
                            be32(0x0a000001) + fill(6, 'b') + be32(0x0a000002)),
       "arp", 1},
  };
  return all;
}

TEST(DecoderContract, WholeFramesAreReadToTheirEnd) {
  Decoder decoder{Config{}};
  for (const Case& c : cases()) {
    const auto packets = decoder.decode(raw(c.frame, c.link));
    EXPECT_EQ(broken_promise(packets), "") << c.name;
    ASSERT_EQ(packets.size(), c.packets) << c.name;
    const std::string got = summary(*packets[0]);
    EXPECT_EQ(got.substr(0, c.innermost.size()), c.innermost) << c.name;
    for (const Packet* p : packets) {
      EXPECT_FALSE(p->invalid) << c.name;
      std::string events;
      for (const PacketEvent e : p->events) events += std::string(info(e).name) + ' ';
      EXPECT_EQ(events, "") << c.name;
    }
    if (c.packets > 1) {
      EXPECT_EQ(packets[0]->tunnel_depth, 1) << c.name;
      EXPECT_NE(packets[0]->tunnel, TunnelKind::kNone) << c.name;
      EXPECT_TRUE(packets[1]->no_payload_inspection) << c.name;
    }
  }
}

TEST(DecoderContract, FramesCutAtEveryByteKeepWhatIsGood) {
  Decoder decoder{Config{}};
  for (const Case& c : cases()) {
    for (const bool capture_cut : {false, true}) {
      for (size_t n = 0; n < c.frame.size(); ++n) {
        const Buffer cut(
            c.frame.begin(),
            c.frame.begin() + static_cast<long>(n));  // its own allocation: overruns show
        RawPacket r = raw(cut, c.link);
        if (capture_cut) r.wire_len = static_cast<uint32_t>(c.frame.size());
        const auto packets = decoder.decode(r);
        ASSERT_EQ(broken_promise(packets), "") << c.name << " at " << n;
        EXPECT_EQ(packets.back()->truncated, capture_cut);
        // Nobody takes half a packet for a whole one.
        for (const Packet* p : packets) {
          if (p->is_tcp || p->is_udp) {
            EXPECT_NE(summary(*p), c.innermost) << c.name << " at " << n;
          }
        }
      }
    }
  }
}

// Every frame of the list inside every carrier, and those inside each other once more.
TEST(DecoderContract, NestingChangesNothing) {
  struct Carrier {
    std::string name;
    std::function<Buffer(const Buffer&)> wrap;  // an Ethernet frame around an Ethernet frame
    size_t packets;                             // it adds
  };
  const std::vector<Carrier> carriers = {
      {"vxlan", [](const Buffer& f) { return ethernet(kEtherIpv4, ipv4(17, vxlan(f))); }, 1},
      {"vxlan6", [](const Buffer& f) { return ethernet(kEtherIpv6, ipv6(17, vxlan(f))); }, 1},
      {"geneve", [](const Buffer& f) { return ethernet(kEtherIpv4, ipv4(17, geneve(0x6558, f))); },
       1},
      {"gre", [](const Buffer& f) { return ethernet(kEtherIpv6, ipv6(47, gre(0x6558, f))); }, 1},
      {"erspan",
       [](const Buffer& f) {
         return ethernet(kEtherIpv4,
                         ipv4(47, bytes({0x10, 0}) + be16(0x88be) + be32(1) + erspan2(f)));
       },
       1},
      {"mpls", [](const Buffer& f) { return ethernet(0x8847, mpls_stack(be32(0) + f)); }, 0},
      {"nsh", [](const Buffer& f) { return ethernet(0x894f, nsh(3, f)); }, 0},
  };
  // VXLAN carries what somebody reads; layers stay under the cap of sixteen.
  Decoder decoder{Config{}};
  size_t checked = 0;
  for (const Case& c : cases()) {
    if (c.link != LinkType::kEthernet) continue;
    for (const Carrier& one : carriers) {
      for (const Carrier& two : carriers) {
        const Buffer frame = two.wrap(one.wrap(c.frame));
        const auto packets = decoder.decode(raw(frame));
        ASSERT_EQ(broken_promise(packets), "")
            << c.name << " in " << one.name << " in " << two.name;
        EXPECT_EQ(packets.size(), c.packets + one.packets + two.packets)
            << c.name << " in " << one.name << " in " << two.name;
        EXPECT_EQ(summary(*packets[0]).substr(0, c.innermost.size()), c.innermost)
            << c.name << " in " << one.name << " in " << two.name;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 1500u);
}

TEST(DecoderContract, EndlessNestingStopsAtTheCapAndCostsNoMore) {
  Decoder decoder{Config{}};
  for (size_t depth : {20u, 40u, 80u}) {
    Buffer ip = kTcp;
    for (size_t i = 0; i < depth; ++i) ip = ipv4(4, ip);
    const Buffer frame = ethernet(kEtherIpv4, ip);
    const auto packets = decoder.decode(raw(frame));
    ASSERT_EQ(broken_promise(packets), "");
    EXPECT_LE(packets.size(), kMaxPacketsPerFrame);
    EXPECT_FALSE(packets[0]->is_tcp);
  }
  EXPECT_GT(decoder.counters().too_many_layers + decoder.counters().tunnels_refused, 0u);
}

TEST(DecoderContract, MaxLayersIsConfigurable) {
  Settings s;
  s.set("decoder.max-layers", "3");
  Decoder decoder{Config::from(s)};
  const Buffer plain = ethernet(kEtherIpv4, kTcp);
  EXPECT_FALSE(decoder.decode(raw(plain)).back()->invalid);
  const Buffer tagged = ethernet(kEtherVlan, vlan(1, kEtherIpv4, kTcp));
  const Packet& p = *decoder.decode(raw(tagged)).back();
  EXPECT_TRUE(p.events.has(PacketEvent::kTooManyLayers));
  EXPECT_TRUE(p.invalid);
}

TEST(DecoderContract, TunnelPortsAndSwitchesAreConfigurable) {
  Settings s;
  s.set("decoder.vxlan.ports", "$VXLAN_PORTS");
  s.set("vars.port-groups.VXLAN_PORTS", "[8472, 4790]");
  s.set("decoder.geneve.enabled", "false");
  s.set("decoder.teredo.ports.0", "9999");
  Decoder decoder{Config::from(s)};
  const auto count = [&](const Buffer& datagram) {
    const Buffer frame = ethernet(kEtherIpv4, ipv4(17, datagram));
    return decoder.decode(raw(frame)).size();
  };
  const Buffer f = ethernet(kEtherIpv4, kTcp);
  EXPECT_EQ(count(vxlan(f)), 1u);
  EXPECT_EQ(count(udp(1, 8472, bytes({8, 0, 0, 0, 0, 0, 5, 0}) + f)), 2u);
  EXPECT_EQ(count(geneve(0x6558, f)), 1u);
  EXPECT_EQ(count(udp(3544, 3544, kUdp6)), 1u);
  EXPECT_EQ(count(udp(1, 9999, kUdp6)), 2u);
}

TEST(Checksums, AreRightAndWrongAsTheyShouldBe) {
  Decoder decoder{Config{}};
  Buffer frame = ethernet(kEtherIpv4, kTcp);
  Packet* p = decoder.decode(raw(frame)).back();
  EXPECT_FALSE(verify_checksums(*p));
  EXPECT_FALSE(p->checksum_bad_ip);
  EXPECT_TRUE(p->checksum_bad_transport);  // the builder leaves it 0
  // Set it right: the sum over the segment with the field at 0 and the pseudo header.
  const size_t at = 14 + 20 + 16, segment = kTcp.size() - 20;
  uint32_t sum = ones_complement_sum(Bytes(frame).subspan(34), 6 + static_cast<uint32_t>(segment));
  sum += ones_complement_sum(Bytes(frame).subspan(14 + 12, 8));
  sum = (sum & 0xffff) + (sum >> 16);
  frame[at] = static_cast<uint8_t>(~sum >> 8);
  frame[at + 1] = static_cast<uint8_t>(~sum);
  p = decoder.decode(raw(frame)).back();
  EXPECT_TRUE(verify_checksums(*p));
  frame[14 + 8] ^= 1;  // time to live
  p = decoder.decode(raw(frame)).back();
  EXPECT_FALSE(verify_checksums(*p));
  EXPECT_TRUE(p->checksum_bad_ip);
  EXPECT_FALSE(p->checksum_bad_transport);
}

TEST(Checksums, OddLengthsAndLongDataSumAsBytesDo) {
  Buffer data;
  for (int i = 0; i < 1501; ++i) data.push_back(static_cast<uint8_t>(i * 7));
  for (size_t n : {0u, 1u, 2u, 3u, 7u, 8u, 9u, 15u, 1500u, 1501u}) {
    uint32_t expected = 0;
    for (size_t i = 0; i < n; ++i) expected += i % 2 == 0 ? data[i] << 8 : data[i];
    while (expected >> 16 != 0) expected = (expected & 0xffff) + (expected >> 16);
    EXPECT_EQ(ones_complement_sum(Bytes(data).first(n)), expected) << n;
  }
}

}  // namespace
}  // namespace vong::decode
