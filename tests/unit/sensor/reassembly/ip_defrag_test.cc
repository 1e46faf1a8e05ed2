#include "sensor/reassembly/ip_defrag.h"

#include <gtest/gtest.h>

#include "sensor/decode/decoder.h"
#include "tests/unit/sensor/decode/frame.h"

namespace vong::reassembly {
namespace {

using namespace vong::test;

constexpr unsigned kMore = 0x2000;

class IpDefragTest : public testing::Test {
 protected:
  explicit IpDefragTest(DefragConfig config = {})
      : defrag_(std::move(config)), decoder_(decode::Config{}, &defrag_) {}

  // Feeds a frame at second `s`; the packets that come out of it.
  std::span<Packet* const> feed(const Buffer& frame, int s = 0,
                                LinkType link = LinkType::kEthernet) {
    frame_ = frame;
    RawPacket r = raw(frame_, link);
    r.ts = timestamp_from_ns(int64_t{s} * 1'000'000'000);
    return decoder_.decode(r);
  }
  static Buffer fragment4(unsigned offset, bool more, const Buffer& payload, uint16_t id = 7,
                          uint32_t src = 0x0a000001) {
    return ipv4(
        kProtoUdp, payload,
        {.id = id, .fragment = static_cast<uint16_t>(offset / 8 | (more ? kMore : 0)), .src = src});
  }
  static Buffer slice(const Buffer& b, size_t from, size_t n) {
    return Buffer(b.begin() + static_cast<long>(from), b.begin() + static_cast<long>(from + n));
  }

  IpDefrag defrag_;
  decode::Decoder decoder_;
  Buffer frame_;
};

TEST_F(IpDefragTest, TwoFragmentsInEitherOrderAreOneDatagram) {
  const Buffer datagram = udp(1000, 53, fill(100, 'q'));
  for (const bool swapped : {false, true}) {
    const Buffer a = ethernet(kEtherIpv4, fragment4(0, true, slice(datagram, 0, 64)));
    const Buffer b = ethernet(kEtherIpv4, fragment4(64, false, slice(datagram, 64, 44)));
    const auto first = feed(swapped ? b : a);
    ASSERT_EQ(first.size(), 1u);
    EXPECT_TRUE(first[0]->ip.is_fragment);
    EXPECT_FALSE(first[0]->wants_flow);
    const auto packets = feed(swapped ? a : b);
    ASSERT_EQ(packets.size(), 2u);
    const Packet& whole = *packets[0];
    EXPECT_TRUE(whole.is_defragmented);
    EXPECT_TRUE(whole.is_udp);
    EXPECT_EQ(whole.outer, packets[1]);
    EXPECT_EQ(whole.sport, 1000);
    EXPECT_EQ(Buffer(whole.payload.begin(), whole.payload.end()), fill(100, 'q'));
    EXPECT_EQ(whole.tunnel_depth, 0);
    EXPECT_FALSE(whole.ip.is_fragment);
    EXPECT_FALSE(whole.ambiguous);
    // The link layer stands before it, and the header is right.
    EXPECT_EQ(Buffer(whole.frame.begin(), whole.frame.end()),
              ethernet(kEtherIpv4, ipv4(kProtoUdp, datagram, {.id = 7})));
    EXPECT_EQ(whole.link_type, LinkType::kEthernet);
    EXPECT_NE(whole.ethernet, nullptr);
    EXPECT_TRUE(decode::ip_checksum_ok(whole));
    EXPECT_TRUE(packets[1]->no_payload_inspection);
  }
  EXPECT_EQ(defrag_.counters().ipv4.reassembled, 2u);
  EXPECT_EQ(defrag_.counters().trackers, 0u);
  EXPECT_EQ(defrag_.counters().memory_bytes, 0u);
}

TEST_F(IpDefragTest, Ipv6FragmentsWithOptionsBeforeThem) {
  const Buffer datagram = udp(1000, 53, fill(40, 'v'));
  const auto frame = [&](unsigned offset, bool more, const Buffer& part) {
    const Buffer hop_by_hop = bytes({44, 0, 5, 2, 0, 0, 1, 0});
    return ethernet(kEtherIpv6,
                    ipv6(0, hop_by_hop + ipv6_fragment(kProtoUdp, offset, more, 99, part)));
  };
  EXPECT_EQ(feed(frame(0, true, slice(datagram, 0, 24))).size(), 1u);
  const auto packets = feed(frame(24, false, slice(datagram, 24, 24)));
  ASSERT_EQ(packets.size(), 2u);
  const Packet& whole = *packets[0];
  EXPECT_TRUE(whole.is_udp);
  EXPECT_EQ(whole.ip.version, 6);
  EXPECT_EQ(Buffer(whole.payload.begin(), whole.payload.end()), fill(40, 'v'));
  EXPECT_EQ(Buffer(whole.frame.begin(), whole.frame.end()),
            ethernet(kEtherIpv6, ipv6(0, bytes({kProtoUdp, 0, 5, 2, 0, 0, 1, 0}) + datagram)));
}

TEST_F(IpDefragTest, DatagramHasTheLinkLayerOfItsFragmentsAlsoWithoutOne) {
  const Buffer datagram = udp(1000, 53, fill(40, 'q'));
  (void)feed(fragment4(0, true, slice(datagram, 0, 24)), 0, LinkType::kIpv4);
  const auto packets = feed(fragment4(24, false, slice(datagram, 24, 24)), 0, LinkType::kIpv4);
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0]->link_type, LinkType::kIpv4);
  EXPECT_EQ(packets[0]->frame.size(), 20u + datagram.size());
}

TEST_F(IpDefragTest, VlansAddressesAndProtocolsAreKeptApart) {
  const Buffer datagram = udp(1, 2, fill(24, 'x'));
  const Buffer head = slice(datagram, 0, 16), tail = slice(datagram, 16, 16);
  const auto tagged = [](int tag, const Buffer& ip) {
    return ethernet(kEtherVlan, vlan(static_cast<unsigned>(tag), kEtherIpv4, ip));
  };
  EXPECT_EQ(feed(tagged(1, fragment4(0, true, head))).size(), 1u);
  EXPECT_EQ(feed(tagged(2, fragment4(16, false, tail))).size(), 1u);
  EXPECT_EQ(feed(tagged(1, fragment4(16, false, tail, 7, 0x0a000009))).size(), 1u);
  EXPECT_EQ(feed(tagged(1, fragment4(16, false, tail, 8))).size(), 1u);
  EXPECT_EQ(feed(tagged(1, fragment4(16, false, tail))).size(), 2u);
}

TEST_F(IpDefragTest, OverlapIsAnEventAndDifferingContentIsAmbiguous) {
  const Buffer datagram = udp(1, 2, fill(40, 'x'));
  (void)feed(ethernet(kEtherIpv4, fragment4(0, true, slice(datagram, 0, 32))));
  const auto again = feed(ethernet(kEtherIpv4, fragment4(16, true, slice(datagram, 16, 16))));
  EXPECT_TRUE(again[0]->events.has(PacketEvent::kIpv4FragOverlap));
  EXPECT_FALSE(again[0]->ambiguous);
  const auto packets = feed(ethernet(kEtherIpv4, fragment4(24, false, fill(24, 'y'))));
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_TRUE(packets[1]->events.has(PacketEvent::kIpv4FragOverlap));
  EXPECT_TRUE(packets[0]->ambiguous);
  EXPECT_EQ(defrag_.counters().ambiguous, 1u);
}

TEST_F(IpDefragTest, FragmentBeyondTheLargestDatagramIsRefused) {
  const auto packets = feed(ethernet(kEtherIpv4, fragment4(65528, false, fill(16, 'p'))));
  EXPECT_TRUE(packets[0]->events.has(PacketEvent::kIpv4FragPktTooLarge));
  EXPECT_EQ(defrag_.counters().trackers, 0u);
}

TEST_F(IpDefragTest, Ipv6FragmentOfOddLengthIsRefused) {
  const auto packets =
      feed(ethernet(kEtherIpv6, ipv6(44, ipv6_fragment(17, 0, true, 1, fill(175, 'o')))));
  EXPECT_TRUE(packets[0]->events.has(PacketEvent::kIpv6FragInvalidLength));
  EXPECT_EQ(defrag_.counters().trackers, 0u);
}

TEST_F(IpDefragTest, AfterTheTimeoutTheSameIdIsANewDatagram) {
  const Buffer datagram = udp(1, 2, fill(24, 'x'));
  (void)feed(ethernet(kEtherIpv4, fragment4(0, true, slice(datagram, 0, 16))), 0);
  EXPECT_EQ(feed(ethernet(kEtherIpv4, fragment4(16, false, slice(datagram, 16, 16))), 61).size(),
            1u);
  EXPECT_EQ(defrag_.counters().ipv4.timeouts, 1u);
  EXPECT_EQ(feed(ethernet(kEtherIpv4, fragment4(0, true, slice(datagram, 0, 16))), 100).size(), 2u);
}

TEST_F(IpDefragTest, IdIsFreeAgainWhenTheDatagramIsWhole) {
  const Buffer datagram = udp(1, 2, fill(24, 'x'));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(feed(ethernet(kEtherIpv4, fragment4(0, true, slice(datagram, 0, 16)))).size(), 1u);
    const auto packets = feed(ethernet(kEtherIpv4, fragment4(16, false, slice(datagram, 16, 16))));
    ASSERT_EQ(packets.size(), 2u);
    EXPECT_FALSE(packets[1]->events.any());
  }
}

TEST_F(IpDefragTest, FragmentsInsideATunnelInsideFragments) {
  const Buffer inner_datagram = udp(1111, 2222, fill(40, 'i'));
  const auto outer = [&](unsigned inner_offset, bool inner_more, const Buffer& part, uint16_t id) {
    const Buffer inner = fragment4(inner_offset, inner_more, part, 3, 0xc0000201);
    return ipv4(4, inner, {.id = id});
  };
  // The first inner fragment in one piece, the second one in two outer fragments.
  EXPECT_EQ(feed(ethernet(kEtherIpv4, outer(0, true, slice(inner_datagram, 0, 24), 1))).size(), 2u);
  const Buffer second = outer(24, false, slice(inner_datagram, 24, 24), 2);
  const Buffer payload(second.begin() + 20, second.end());
  EXPECT_EQ(feed(ethernet(kEtherIpv4, ipv4(4, slice(payload, 0, 24), {.id = 2, .fragment = kMore})))
                .size(),
            1u);
  const auto packets =
      feed(ethernet(kEtherIpv4, ipv4(4, slice(payload, 24, 20), {.id = 2, .fragment = 3})));
  // inner datagram, inner fragment, outer datagram, outer fragment
  ASSERT_EQ(packets.size(), 4u);
  EXPECT_TRUE(packets[0]->is_udp);
  EXPECT_TRUE(packets[0]->is_defragmented);
  EXPECT_EQ(packets[0]->sport, 1111);
  EXPECT_EQ(Buffer(packets[0]->payload.begin(), packets[0]->payload.end()), fill(40, 'i'));
  EXPECT_EQ(packets[0]->tunnel_depth, 1);
  EXPECT_TRUE(packets[1]->ip.is_fragment);
  EXPECT_TRUE(packets[2]->is_defragmented);
  EXPECT_EQ(packets[2]->tunnel_depth, 0);
  EXPECT_TRUE(packets[3]->ip.is_fragment);
}

class SmallDefrag : public IpDefragTest {
 protected:
  static DefragConfig small() {
    DefragConfig c;
    c.max_trackers = 4;
    c.max_fragments = 8;
    c.memcap_bytes = 64u << 10;
    return c;
  }
  SmallDefrag() : IpDefragTest(small()) {}
};

TEST_F(SmallDefrag, StateStaysUnderItsCapsAndTheOldestGoesFirst) {
  for (uint16_t id = 1; id <= 500; ++id) {
    for (unsigned offset = 0; offset < 4000; offset += 800) {
      (void)feed(ethernet(kEtherIpv4, fragment4(offset + 8, true, fill(400, 'z'), id)));
      ASSERT_LE(defrag_.counters().trackers, 5u);
      ASSERT_LE(defrag_.counters().fragments_held, 8u);
      ASSERT_LE(defrag_.counters().memory_bytes, (64u << 10) + 16384);
    }
  }
  EXPECT_GT(defrag_.counters().tracker_hard_reuse, 0u);
  EXPECT_GT(defrag_.counters().max_frags_reached, 0u);
  // The newest still works.
  (void)feed(ethernet(kEtherIpv4, fragment4(0, true, slice(udp(1, 2, fill(24, 'x')), 0, 16), 999)));
  EXPECT_EQ(feed(ethernet(kEtherIpv4, fragment4(16, false, fill(16, 'x'), 999))).size(), 2u);
}

TEST_F(SmallDefrag, OneDatagramCannotHoldMoreThanAllFragments) {
  bool ignored = false;
  for (unsigned i = 1; i < 50; ++i) {
    const auto packets = feed(ethernet(kEtherIpv4, fragment4(i * 16, true, fill(8, 'z'), 1)));
    ignored |= packets[0]->events.has(PacketEvent::kIpv4FragIgnored);
    ASSERT_LE(defrag_.counters().fragments_held, 8u);
  }
  EXPECT_TRUE(ignored);
}

TEST(DefragConfig, ReadsPoliciesAndTimeouts) {
  Settings s;
  s.set("defrag.memcap", "1mb");
  s.set("defrag.timeout", "10");
  s.set("defrag.host-config.0.dmz.timeout", "30");
  s.set("defrag.host-config.0.dmz.address.0", "10.1.0.0/16");
  s.set("host-os-policy.linux.0", "10.0.0.0/8");
  s.set("host-os-policy.windows.0", "0.0.0.0/0");
  s.set("host-os-policy.solaris.0", "::/0");
  const auto c = DefragConfig::from(s);
  EXPECT_EQ(c.memcap_bytes, 1u << 20);
  EXPECT_EQ(c.timeout, std::chrono::seconds(10));
  ASSERT_EQ(c.host_timeouts.size(), 1u);
  EXPECT_EQ(c.host_timeouts[0].timeout, std::chrono::seconds(30));
  EXPECT_EQ(c.policy_of(*IpAddress::parse("10.2.3.4")), DefragPolicy::kLinux);
  EXPECT_EQ(c.policy_of(*IpAddress::parse("192.0.2.1")), DefragPolicy::kWindows);
  EXPECT_EQ(c.policy_of(*IpAddress::parse("2001:db8::1")), DefragPolicy::kSolaris);
}

}  // namespace
}  // namespace vong::reassembly
