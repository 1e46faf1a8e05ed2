#include "sensor/flow/flow_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vong::flow {
namespace {

Timestamp at(double seconds) { return timestamp_from_ns(static_cast<int64_t>(seconds * 1e9)); }

struct Bench {
  explicit Bench(FlowConfig config = FlowConfig()) : table(config) {}

  Packet packet(double when, const char* src, uint16_t sport, const char* dst, uint16_t dport,
                char kind = 'u') {
    Packet p;
    p.ts = at(when);
    p.number = ++number;
    p.ip.version = std::string_view(src).find(':') == std::string_view::npos ? 4 : 6;
    p.ip.ttl = 64;
    p.src = *IpAddress::parse(src);
    p.dst = *IpAddress::parse(dst);
    p.sport = sport;
    p.dport = dport;
    p.is_tcp = kind == 't';
    p.is_udp = kind == 'u';
    p.wants_flow = true;
    p.ip.protocol = kind == 't' ? 6 : 17;
    p.frame = Bytes(bytes, 60);
    return p;
  }
  Packet icmp(double when, const char* src, const char* dst, uint8_t type, uint8_t code = 0) {
    Packet p = packet(when, src, 0, dst, 0);
    p.is_udp = false;
    p.is_icmp4 = true;
    p.ip.protocol = 1;
    p.icmp.type = type;
    p.icmp.code = code;
    return p;
  }
  Flow* look(Packet& p) { return table.lookup(p, p.ts); }
  std::vector<std::pair<uint64_t, FlowEndReason>> expire(double when) {
    std::vector<std::pair<uint64_t, FlowEndReason>> out;
    table.expire(at(when),
                 [&](Flow& f, FlowEndReason r) { out.emplace_back(f.first_packet_number, r); });
    return out;
  }

  uint8_t bytes[60] = {};
  uint64_t number = 0;
  FlowTable table;
};

using Ends = std::vector<std::pair<uint64_t, FlowEndReason>>;

TEST(FlowTable, BothDirectionsAreOneFlowAndTheFirstPacketIsTheClients) {
  Bench b;
  Packet ask = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53);
  Packet answer = b.packet(2, "10.0.0.2", 53, "10.0.0.1", 4000);
  Flow* f = b.look(ask);
  ASSERT_NE(f, nullptr);
  EXPECT_FALSE(ask.flow_established);
  EXPECT_EQ(b.look(answer), f);
  EXPECT_EQ(ask.direction, Direction::kToServer);
  EXPECT_EQ(answer.direction, Direction::kToClient);
  EXPECT_TRUE(answer.flow_established);
  EXPECT_EQ(f->phase, FlowPhase::kEstablished);
  EXPECT_EQ(f->counters[0].packets, 1u);
  EXPECT_EQ(f->counters[1].bytes, 60u);
  EXPECT_EQ(b.table.counters().udp, 1u);
}

TEST(FlowTable, OtherPortVlanProtocolDepthAndFamilyAreOtherFlows) {
  Bench b;
  Packet p = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53);
  std::set<Flow*> flows{b.look(p)};
  Packet port = b.packet(1, "10.0.0.1", 4001, "10.0.0.2", 53);
  flows.insert(b.look(port));
  Packet vlan = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53);
  vlan.vlan_count = 1;
  vlan.vlan_tci[0] = 7;
  flows.insert(b.look(vlan));
  Packet tcp = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53, 't');
  flows.insert(b.look(tcp));
  Packet inner = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53);
  inner.tunnel_depth = 1;
  flows.insert(b.look(inner));
  Packet v6 = b.packet(1, "a00:1::", 4000, "a00:2::", 53);
  flows.insert(b.look(v6));
  EXPECT_EQ(flows.size(), 6u);
  EXPECT_EQ(flows.count(nullptr), 0u);
}

TEST(FlowTable, VlanPriorityBitsAreNoPartOfTheKey) {
  Bench b;
  Packet a = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53),
         c = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53);
  a.vlan_count = c.vlan_count = 1;
  a.vlan_tci[0] = 7;
  c.vlan_tci[0] = 7 | 5 << 13;
  EXPECT_EQ(b.look(a), b.look(c));
}

TEST(FlowTable, VlanIsIgnoredWhenConfigured) {
  FlowConfig config;
  config.vlan_for_tracking = false;
  Bench b(config);
  Packet a = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53),
         c = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53);
  c.vlan_count = 1;
  c.vlan_tci[0] = 7;
  EXPECT_EQ(b.look(a), b.look(c));
}

TEST(FlowTable, SamePortOnBothEndsIsToldApartByAddress) {
  Bench b;
  Packet a = b.packet(1, "10.0.0.1", 123, "10.0.0.2", 123),
         r = b.packet(1, "10.0.0.2", 123, "10.0.0.1", 123);
  Flow* f = b.look(a);
  EXPECT_EQ(b.look(r), f);
  EXPECT_EQ(r.direction, Direction::kToClient);
}

TEST(FlowTable, EchoAndReplyAreOneFlowOtherIcmpTypesAreNot) {
  Bench b;
  Packet echo = b.icmp(1, "10.0.0.1", "10.0.0.2", 8), reply = b.icmp(1, "10.0.0.2", "10.0.0.1", 0);
  Packet time = b.icmp(1, "10.0.0.1", "10.0.0.2", 13);
  Flow* f = b.look(echo);
  EXPECT_EQ(b.look(reply), f);
  EXPECT_EQ(reply.direction, Direction::kToClient);
  EXPECT_EQ(f->icmp_response_type, 0);
  EXPECT_NE(b.look(time), f);
}

TEST(FlowTable, DestinationUnreachableBelongsToTheFlowItSpeaksOf) {
  Bench b;
  Packet ask = b.packet(1, "10.0.0.1", 4000, "10.0.0.2", 53);
  Flow* f = b.look(ask);
  Packet error = b.icmp(2, "10.0.0.2", "10.0.0.1", 3, 3);
  error.icmp.has_embedded = true;
  error.icmp.embedded_protocol = 17;
  error.icmp.embedded_src = ask.src;
  error.icmp.embedded_dst = ask.dst;
  error.icmp.embedded_sport = 4000;
  error.icmp.embedded_dport = 53;
  EXPECT_EQ(b.look(error), f);
  EXPECT_EQ(error.direction, Direction::kToClient);
  EXPECT_EQ(f->counters[1].packets, 1u);
  EXPECT_EQ(f->phase, FlowPhase::kNew) << "an error is no answer";
}

TEST(FlowTable, IcmpErrorsMakeNoFlow) {
  Bench b;
  for (const uint8_t type : {3, 4, 5, 11, 12}) {
    Packet error = b.icmp(1, "10.0.0.2", "10.0.0.1", type);
    EXPECT_EQ(b.look(error), nullptr) << int{type};
  }
  EXPECT_EQ(b.table.counters().total, 0u);
}

TEST(FlowTable, EchoWithAnOddCodeAndItsReplyAreOneFlow) {
  Bench b;
  Packet echo = b.icmp(1, "10.0.0.1", "10.0.0.2", 8, 9),
         reply = b.icmp(1, "10.0.0.2", "10.0.0.1", 0, 0);
  Flow* f = b.look(echo);
  EXPECT_EQ(b.look(reply), f);
}

TEST(FlowTable, EspIsToldApartByItsSpi) {
  Bench b;
  Packet one = b.packet(1, "10.0.0.1", 0, "10.0.0.2", 0), two = one;
  one.is_udp = two.is_udp = false;
  one.is_esp = two.is_esp = true;
  one.ip.protocol = two.ip.protocol = 50;
  one.esp_spi = 1;
  two.esp_spi = 2;
  Flow* f = b.look(one);
  EXPECT_NE(b.look(two), f);
  EXPECT_EQ(b.look(one), f);
}

TEST(FlowTable, NoFlowForWhatWantsNone) {
  Bench b;
  Packet p = b.packet(1, "10.0.0.1", 1, "10.0.0.2", 2);
  p.wants_flow = false;
  EXPECT_EQ(b.look(p), nullptr);
  EXPECT_EQ(p.flow, nullptr);
  EXPECT_EQ(b.table.size(), 0u);
}

TEST(FlowTable, EndsByTimeoutOfItsPhase) {
  Bench b;
  Packet lonely = b.packet(0, "10.0.0.1", 1, "10.0.0.2", 53);
  Packet ask = b.packet(0, "10.0.0.1", 2, "10.0.0.2", 53),
         answer = b.packet(1, "10.0.0.2", 53, "10.0.0.1", 2);
  b.look(lonely);
  b.look(ask);
  b.look(answer);
  EXPECT_TRUE(b.expire(29).empty());
  EXPECT_EQ(b.expire(32), (Ends{{1, FlowEndReason::kTimeout}}));
  EXPECT_TRUE(b.expire(300).empty());
  EXPECT_EQ(b.expire(303), (Ends{{2, FlowEndReason::kTimeout}}));
  EXPECT_EQ(b.table.size(), 0u);
}

TEST(FlowTable, PacketsKeepAFlowAlive) {
  Bench b;
  for (int i = 0; i < 20; ++i) {
    Packet p = b.packet(i * 20, "10.0.0.1", 1, "10.0.0.2", 53);
    b.look(p);
    EXPECT_TRUE(b.expire(i * 20).empty()) << i;
  }
  EXPECT_EQ(b.table.counters().total, 1u);
  EXPECT_EQ(b.expire(1000).size(), 1u);
}

TEST(FlowTable, APacketAfterTheTimeoutOpensANewFlow) {
  Bench b;
  Packet first = b.packet(0, "10.0.0.1", 1, "10.0.0.2", 53),
         late = b.packet(30.5, "10.0.0.1", 1, "10.0.0.2", 53);
  const uint64_t id = b.look(first)->id;
  EXPECT_NE(b.look(late)->id, id);
  EXPECT_EQ(b.expire(30.5), (Ends{{1, FlowEndReason::kTimeout}}));
}

TEST(FlowTable, AShorterPhaseMovesTheDeadline) {
  Bench b;
  Packet p = b.packet(0, "10.0.0.1", 1, "10.0.0.2", 80, 't');
  b.look(p)->phase = FlowPhase::kEstablished;
  Packet q = b.packet(1, "10.0.0.1", 1, "10.0.0.2", 80, 't');
  b.look(q)->phase = FlowPhase::kClosed;
  EXPECT_TRUE(b.expire(60).empty());
  EXPECT_EQ(b.expire(63).size(), 1u);
}

TEST(FlowTable, AJumpInTimeEndsAll) {
  Bench b;
  for (uint16_t i = 1; i <= 100; ++i) {
    Packet p = b.packet(i, "10.0.0.1", i, "10.0.0.2", 53);
    b.look(p);
  }
  EXPECT_EQ(b.expire(86400 * 365).size(), 100u);
}

TEST(FlowTable, FlushGoesByAge) {
  Bench b;
  for (uint16_t i = 1; i <= 500; ++i) {
    Packet p = b.packet(1, "10.0.0.1", i, "10.0.0.2", 53);
    b.look(p);
  }
  std::vector<uint64_t> order;
  b.table.flush([&](Flow& f, FlowEndReason r) {
    EXPECT_EQ(r, FlowEndReason::kShutdown);
    order.push_back(f.first_packet_number);
  });
  ASSERT_EQ(order.size(), 500u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(FlowTable, IdsAreUniqueSmallAndTheSameInEveryRun) {
  std::set<uint64_t> ids;
  std::vector<uint64_t> runs[2];
  for (auto& run : runs) {
    Bench b;
    for (uint16_t i = 1; i <= 5000; ++i) {
      Packet p = b.packet(1, "10.0.0.1", i, "10.0.0.2", 53);
      run.push_back(b.look(p)->id);
    }
  }
  EXPECT_EQ(runs[0], runs[1]);
  for (const uint64_t id : runs[0]) {
    EXPECT_LT(id, uint64_t{1} << 53);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 5000u);
}

TEST(FlowTable, AtTheMemcapLivingFlowsStayAndNewOnesGetNoPlace) {
  FlowConfig config;
  config.memcap_bytes = 1;
  Bench b(config);
  size_t made = 0;
  for (uint16_t i = 1; i <= 200; ++i) {
    Packet p = b.packet(1, "10.0.0.1", i, "10.0.0.2", 53);
    made += b.look(p) != nullptr;
  }
  EXPECT_EQ(made, kMinFlows);
  EXPECT_EQ(b.table.counters().memcap, 200 - kMinFlows);
  EXPECT_TRUE(b.table.emergency());
  // Past the emergency timeout (10 s) they give way.
  Packet p = b.packet(12, "10.0.0.1", 999, "10.0.0.2", 53);
  EXPECT_NE(b.look(p), nullptr);
  const Ends ended = b.expire(12);
  ASSERT_FALSE(ended.empty());
  EXPECT_EQ(ended[0].second, FlowEndReason::kForced);
  b.expire(100);
  EXPECT_FALSE(b.table.emergency());
  EXPECT_EQ(b.table.counters().emergency_over, 1u);
}

TEST(FlowTable, SwappingExchangesBothEnds) {
  Bench b;
  Packet p = b.packet(1, "10.0.0.1", 80, "10.0.0.2", 4000),
         q = b.packet(1, "10.0.0.1", 80, "10.0.0.2", 4000);
  Flow* f = b.look(p);
  swap_direction(*f);
  EXPECT_TRUE(f->reversed);
  EXPECT_EQ(f->key.dport, 80);
  EXPECT_EQ(f->counters[1].packets, 1u);
  EXPECT_EQ(b.look(q), f);
  EXPECT_EQ(q.direction, Direction::kToClient);
}

TEST(FlowTable, RandomComingAndGoingAgreesWithASlowTwin) {
  // The twin: every flow in a list, asked one after the other.
  Bench b;
  struct Twin {
    uint16_t port;
    int64_t last;
  };
  std::vector<Twin> twins;
  uint64_t random = 12345;
  int64_t now = 0;  // quarters of a second
  size_t expected = 0;
  for (int i = 0; i < 20000; ++i) {
    random = random * 6364136223846793005 + 1442695040888963407;
    now += static_cast<int64_t>(random >> 61);
    const auto port = static_cast<uint16_t>(1 + (random >> 33) % 300);
    std::erase_if(twins, [&](const Twin& t) { return now > t.last + 120; });
    auto it =
        std::find_if(twins.begin(), twins.end(), [&](const Twin& t) { return t.port == port; });
    if (it == twins.end()) {
      twins.push_back({port, now});
      ++expected;
    } else {
      it->last = now;
    }
    Packet p = b.packet(static_cast<double>(now) / 4, "10.0.0.1", port, "10.0.0.2", 53);
    ASSERT_NE(b.look(p), nullptr);
    b.expire(static_cast<double>(now) / 4);
    ASSERT_EQ(b.table.counters().total, expected) << i;
    ASSERT_GE(b.table.size(), twins.size());
    ASSERT_LE(b.table.size(), twins.size() + 60);
  }
}

}  // namespace
}  // namespace vong::flow
