#include "sensor/decode/decoder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>

#include "tests/unit/sensor/decode/frame.h"

namespace vong::decode {
namespace {

using namespace vong::test;

// Decodes one frame and keeps it.
class DecoderTest : public testing::Test {
 protected:
  // The frame itself; inner(0) is the innermost.
  const Packet& decode(Buffer frame, LinkType link = LinkType::kEthernet) {
    frame_ = std::move(frame);
    packets_ = decoder_.decode(raw(frame_, link));
    return *packets_.back();
  }
  const Packet& inner(size_t i = 0) { return *packets_[i]; }

  Decoder decoder_{Config{}};
  Buffer frame_;
  std::span<Packet* const> packets_;
};

TEST_F(DecoderTest, EthernetIpv4TcpIsFilledExactly) {
  const Packet& p = decode(ethernet(
      kEtherIpv4, ipv4(kProtoTcp, tcp(1234, 80, TcpFlags::kPsh | TcpFlags::kAck, text("hello")))));
  ASSERT_EQ(packets_.size(), 1u);
  EXPECT_FALSE(p.invalid);
  EXPECT_FALSE(p.events.any());
  EXPECT_TRUE(p.is_tcp);
  EXPECT_TRUE(p.wants_flow);
  EXPECT_EQ(p.src.to_string(), "10.0.0.1");
  EXPECT_EQ(p.dst.to_string(), "10.0.0.2");
  EXPECT_EQ(p.sport, 1234);
  EXPECT_EQ(p.dport, 80);
  EXPECT_EQ(p.ip.ttl, 64);
  EXPECT_EQ(p.tcp.seq, 1000u);
  EXPECT_EQ(p.tcp.flags, TcpFlags::kPsh | TcpFlags::kAck);
  EXPECT_EQ(as_text(p.payload), "hello");
  EXPECT_EQ(p.ip_header.size(), 20u);
  EXPECT_EQ(p.transport_header.size(), 20u);
  EXPECT_EQ(p.ether_type, kEtherIpv4);
}

TEST_F(DecoderTest, EthernetPaddingIsNotPayload) {
  const Packet& p =
      decode(ethernet(kEtherIpv4, ipv4(kProtoUdp, udp(1, 2, text("x")))) + fill(17, '\0'));
  EXPECT_EQ(as_text(p.payload), "x");
}

TEST_F(DecoderTest, Ipv6HeaderHasItsExtensionHeaders) {
  const Packet& p = decode(
      ethernet(kEtherIpv6, ipv6(60, bytes({17, 0, 5, 2, 0, 0, 0, 0}) + udp(1, 2, text("x")))));
  EXPECT_EQ(p.ip_header.size(), 48u);
  EXPECT_EQ(p.ip.protocol, 17);
  EXPECT_EQ(as_text(p.payload), "x");
}

TEST(PacketReset, IsANewPacket) {
  Packet used;
  std::memset(static_cast<void*>(&used), 0xa5, sizeof used);
  used.reset();
  const Packet fresh{};
  EXPECT_EQ(used.link_type, fresh.link_type);
  EXPECT_EQ(used.direction, fresh.direction);
  EXPECT_EQ(used.tunnel, fresh.tunnel);
  EXPECT_FALSE(used.arp.has_value());
  EXPECT_FALSE(used.events.any());
  EXPECT_EQ(used.src, fresh.src);
  EXPECT_EQ(used.ts, fresh.ts);
  // Every byte but padding, which both may have as they like: a new one over zeros shows what is not zero.
  alignas(Packet) unsigned char zeros[sizeof(Packet)] = {};
  const Packet* over_zeros = new (zeros) Packet;
  EXPECT_EQ(std::memcmp(static_cast<const void*>(&used), static_cast<const void*>(over_zeros), sizeof used), 0);
}

TEST_F(DecoderTest, NothingOfTheLastPacketStays) {
  decode(ethernet(kEtherVlan,
                  vlan(5, kEtherIpv4, ipv4(kProtoTcp, tcp(1, 2, 2, {}, bytes({2, 4, 5, 0xb4}))))));
  const Packet& p = decode(ethernet(kEtherIpv4, ipv4(kProtoUdp, udp(7, 8, {}))));
  EXPECT_FALSE(p.is_tcp);
  EXPECT_EQ(p.vlan_count, 0);
  EXPECT_FALSE(p.tcp.has_mss);
  EXPECT_TRUE(p.tcp.options.empty());
}

TEST_F(DecoderTest, TcpOptionsAreRead) {
  const Buffer options = bytes({2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7});
  const Packet& p =
      decode(ethernet(kEtherIpv4, ipv4(kProtoTcp, tcp(1, 2, TcpFlags::kSyn, {}, options))));
  EXPECT_EQ(p.tcp.mss, 1460);
  EXPECT_TRUE(p.tcp.sack_permitted);
  EXPECT_EQ(p.tcp.ts_value, 1u);
  EXPECT_EQ(p.tcp.ts_echo, 2u);
  EXPECT_TRUE(p.tcp.has_wscale);
  EXPECT_EQ(p.tcp.wscale, 7);
  EXPECT_FALSE(p.events.any());
}

TEST_F(DecoderTest, TcpOptionOfBadLengthIsAnEventAndThePacketStaysGood) {
  const Packet& p =
      decode(ethernet(kEtherIpv4, ipv4(kProtoTcp, tcp(1, 2, 2, {}, bytes({2, 3, 5, 1})))));
  EXPECT_TRUE(p.events.has(PacketEvent::kTcpOptInvalidLen));
  EXPECT_FALSE(p.invalid);
  EXPECT_TRUE(p.is_tcp);
}

TEST_F(DecoderTest, ThreeVlanTagsAndTheFourthIsTooMany) {
  const Buffer udp_packet = ipv4(kProtoUdp, udp(1, 2, {}));
  const Packet& p = decode(
      ethernet(kEtherQinq,
               vlan(10, kEtherVlan, vlan(20, 0x9100, vlan(0x2000 | 30, kEtherIpv4, udp_packet)))));
  EXPECT_EQ(p.vlan_count, 3);
  EXPECT_EQ(p.vlan_tci[0], 10);
  EXPECT_EQ(p.vlan_tci[1], 20);
  EXPECT_EQ(p.vlan_tci[2] & 0xfff, 30);
  EXPECT_TRUE(p.is_udp);
  EXPECT_EQ(p.ether_type, kEtherIpv4);

  const Packet& q = decode(ethernet(
      kEtherVlan, vlan(1, kEtherVlan,
                       vlan(2, kEtherVlan, vlan(3, kEtherVlan, vlan(4, kEtherIpv4, udp_packet))))));
  EXPECT_TRUE(q.events.has(PacketEvent::kVlanTooManyLayers));
  EXPECT_TRUE(q.invalid);
  EXPECT_FALSE(q.is_udp);
}

TEST_F(DecoderTest, TagFromTheKernelStandsBeforeThoseInTheFrame) {
  const Buffer frame = ethernet(kEtherVlan, vlan(20, kEtherIpv4, ipv4(kProtoUdp, udp(1, 2, {}))));
  RawPacket r = raw(frame);
  r.has_vlan_tci = true;
  r.vlan_tci = 10;
  const Packet& p = *decoder_.decode(r).back();
  ASSERT_EQ(p.vlan_count, 2);
  EXPECT_EQ(p.vlan_tci[0], 10);
  EXPECT_EQ(p.vlan_tci[1], 20);
}

TEST_F(DecoderTest, UnknownEtherTypeIsAnEventOnly) {
  const Packet& p = decode(ethernet(0xfbb7, text("what")));
  EXPECT_TRUE(p.events.has(PacketEvent::kEthernetUnknownEthertype));
  EXPECT_FALSE(p.invalid);
  EXPECT_EQ(decoder_.counters().unknown_ethertype, 1u);
}

TEST_F(DecoderTest, EventsKeepTheirOrderAndRepeat) {
  // Security option of two bytes (eleven are right), then one that runs over the end: twelve bytes
  // are no multiple of eight either.
  const Buffer options = bytes({0x82, 2, 0xf1, 0x35, 0, 0, 0xde, 0xad, 0xbe, 0xef, 0xaa, 0});
  const Packet& p = decode(ethernet(kEtherIpv4, ipv4(132, fill(20, 'a'), {.options = options})));
  ASSERT_EQ(p.events.size(), 3u);
  EXPECT_EQ(p.events.begin()[0], PacketEvent::kIpv4OptPadRequired);
  EXPECT_EQ(p.events.begin()[1], PacketEvent::kIpv4OptInvalidLen);
  EXPECT_EQ(p.events.begin()[2], PacketEvent::kIpv4OptInvalidLen);
  EXPECT_TRUE(p.invalid);
  EXPECT_TRUE(p.is_sctp);
  EXPECT_EQ(decoder_.counters().invalid, 1u);
  EXPECT_EQ(decoder_.counters().events[static_cast<size_t>(PacketEvent::kIpv4OptInvalidLen)], 2u);
}

TEST_F(DecoderTest, TruncatedByTheSnapLengthIsMarked) {
  const Buffer frame = ethernet(kEtherIpv4, ipv4(kProtoUdp, udp(1, 2, fill(100, 'x'))));
  RawPacket r = raw(frame);
  r.data = r.data.first(60);
  const Packet& p = *decoder_.decode(r).back();
  EXPECT_TRUE(p.truncated);
  EXPECT_TRUE(p.events.has(PacketEvent::kIpv4TruncPkt));
  EXPECT_TRUE(p.ethernet != nullptr);
  EXPECT_EQ(p.ip.version, 0);
}

TEST_F(DecoderTest, IcmpErrorNamesTheFlowItSpeaksOf) {
  const Buffer embedded =
      ipv4(kProtoUdp, udp(5353, 53, {}), {.src = 0x0a000002, .dst = 0x0a000001});
  const Packet& p = decode(ethernet(kEtherIpv4, ipv4(kProtoIcmp, icmp(3, 3, be32(0) + embedded))));
  ASSERT_TRUE(p.icmp.has_embedded);
  EXPECT_EQ(p.icmp.embedded_protocol, kProtoUdp);
  EXPECT_EQ(p.icmp.embedded_src.to_string(), "10.0.0.2");
  EXPECT_EQ(p.icmp.embedded_sport, 5353);
  EXPECT_EQ(p.icmp.embedded_dport, 53);
}

}  // namespace
}  // namespace vong::decode
