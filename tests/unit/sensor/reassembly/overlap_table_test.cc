// Who wins where TCP segments overlap with different bytes: stated as a table for pairs, compared with a slow and obviously right twin
// for every sequence of three segments over five places, and for random streams.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/reassembly/stream_buffer.h"
#include "tests/unit/sensor/reassembly/tcp_bench.h"

namespace vong::reassembly {
namespace {

constexpr uint64_t kBase = 100;   // away from the stream's start, so that nothing is contiguous or final
constexpr uint8_t kRegions = 8;

struct Segment {
  uint64_t begin, end;
};

struct Read {
  std::string text;
  bool overlap = false, different = false;
};

// What the buffer holds at [kBase, kBase + width) after these segments, the first of 'a's, the second of 'b's ...; '.': nothing.
Read reassemble(OsPolicy policy, const std::vector<Segment>& segments, uint64_t width) {
  BlockPool pool(0);
  StreamBuffer buffer;
  Read out;
  char letter = 'a';
  for (const Segment& s : segments) {
    const std::string bytes(s.end - s.begin, letter++);
    const InsertResult r = buffer.insert(pool, kBase + s.begin, as_bytes(bytes), policy, kRegions);
    EXPECT_EQ(r.status, InsertStatus::kOk);
    out.overlap |= r.overlap;
    out.different |= r.different;
  }
  out.text.assign(width, '.');
  for (uint64_t i = 0; i < width; ++i) {
    if (buffer.next_known(kBase + i) != kBase + i) continue;
    out.text[i] = static_cast<char>(buffer.view(kBase + i, kBase + i + 1)[0]);
  }
  return out;
}

// The old segment is 'a' at places 2 to 4; the new one is 'b' and begins before, with or after it, and ends before, with or
// after it. What stands at places 1 to 5:
struct Row {
  OsPolicy policy;
  //                    begins before                    with                             after
  //            ends    before   with     after          before   with     after          before   with     after
  std::array<const char*, 9> expected;
};

constexpr Row kTable[] = {
    {OsPolicy::kFirst,      {"baaa.", "baaa.", "baaab",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kVista,      {"baaa.", "baaa.", "baaab",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kLast,       {"bbba.", "bbbb.", "bbbbb",  ".bba.", ".bbb.", ".bbbb",  ".aba.", ".abb.", ".abbb"}},
    {OsPolicy::kBsd,        {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kHpux10,     {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kIrix,       {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kMacos,      {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kWindows,    {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kWindows2k3, {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kOldSolaris, {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".aaab",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kLinux,      {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".aaa.", ".bbbb",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kOldLinux,   {"bbba.", "bbbb.", "bbbbb",  ".aaa.", ".bbb.", ".bbbb",  ".aaa.", ".aaa.", ".aaab"}},
    {OsPolicy::kSolaris,    {"baaa.", "bbbb.", "bbbbb",  ".aaa.", ".bbb.", ".bbbb",  ".aaa.", ".aaa.", ".abbb"}},
    {OsPolicy::kHpux11,     {"baaa.", "bbbb.", "bbbbb",  ".aaa.", ".bbb.", ".bbbb",  ".aaa.", ".aaa.", ".abbb"}},
    {OsPolicy::kBsdRight,   {"baaa.", "baaa.", "baaab",  ".bba.", ".bbb.", ".bbbb",  ".aba.", ".abb.", ".abbb"}},
};

TEST(OverlapTable, PairsByPolicy) {
  ASSERT_EQ(std::size(kTable), static_cast<size_t>(OsPolicy::kCount));
  constexpr std::array<uint64_t, 3> kBegins = {1, 2, 3}, kEnds = {4, 5, 6};
  for (const Row& row : kTable) {
    for (size_t i = 0; i < 9; ++i) {
      const Segment later{kBegins[i / 3], kEnds[i % 3]};
      const Read r = reassemble(row.policy, {{2, 5}, later}, 6);
      EXPECT_EQ(r.text.substr(1), row.expected[i]) << name_of(row.policy) << " " << later.begin << "-" << later.end;
      EXPECT_TRUE(r.overlap && r.different);
    }
  }
}

// The twin: one cell a byte, each with its value; every earlier segment is asked, by the table above, whether it holds its bytes.
class Twin {
 public:
  explicit Twin(OsPolicy policy) {
    for (const Row& row : kTable) {
      if (row.policy == policy) row_ = &row;
    }
  }
  void add(const Segment& s, const std::string& bytes) {
    std::map<uint64_t, char> writes;
    for (uint64_t at = s.begin; at < s.end; ++at) {
      bool held = false;
      for (const Segment& old : segments_) {
        if (at >= old.begin && at < old.end && !new_wins(old, s)) held = true;
      }
      if (!held) writes[at] = bytes[at - s.begin];
    }
    for (const auto& [at, byte] : writes) cells_[at] = byte;
    segments_.push_back(s);
  }
  [[nodiscard]] std::string text(uint64_t width) const {
    std::string out(width, '.');
    for (const auto& [at, byte] : cells_) out[at] = byte;
    return out;
  }
  [[nodiscard]] const std::map<uint64_t, char>& cells() const { return cells_; }

 private:
  // Place 3 of the table's lines lies in all overlaps.
  [[nodiscard]] bool new_wins(const Segment& old, const Segment& s) const {
    const size_t begins = s.begin < old.begin ? 0 : s.begin == old.begin ? 1 : 2;
    const size_t ends = s.end < old.end ? 0 : s.end == old.end ? 1 : 2;
    return row_->expected[begins * 3 + ends][2] == 'b';
  }
  const Row* row_ = nullptr;
  std::vector<Segment> segments_;
  std::map<uint64_t, char> cells_;
};

TEST(OverlapTable, EverySequenceOfThreeAgreesWithTheTwin) {
  constexpr uint64_t kPlaces = 5;
  std::vector<Segment> all;
  for (uint64_t begin = 0; begin < kPlaces; ++begin) {
    for (uint64_t end = begin + 1; end <= kPlaces; ++end) all.push_back({begin, end});
  }
  size_t compared = 0;
  for (const Row& row : kTable) {
    for (const Segment& first : all) {
      for (const Segment& second : all) {
        for (const Segment& third : all) {
          Twin twin(row.policy);
          twin.add(first, std::string(5, 'a'));
          twin.add(second, std::string(5, 'b'));
          twin.add(third, std::string(5, 'c'));
          ASSERT_EQ(reassemble(row.policy, {first, second, third}, kPlaces).text, twin.text(kPlaces))
              << name_of(row.policy) << " " << first.begin << "-" << first.end << " " << second.begin << "-"
              << second.end << " " << third.begin << "-" << third.end;
          ++compared;
        }
      }
    }
  }
  EXPECT_EQ(compared, 15u * 15 * 15 * 15);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435761 + 1) {}
  uint64_t below(uint64_t n) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return (state_ >> 33) % n;
  }

 private:
  uint64_t state_;
};

TEST(OverlapTable, RandomSegmentsAgreeWithTheTwinUnderEachPolicy) {
  for (const Row& row : kTable) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      Random random(seed);
      BlockPool pool(0);
      StreamBuffer buffer;
      Twin twin(row.policy);
      for (int i = 0; i < 60; ++i) {
        const uint64_t begin = random.below(300), size = 1 + random.below(40);
        std::string bytes;
        for (uint64_t k = 0; k < size; ++k) bytes += static_cast<char>('a' + random.below(26));
        twin.add({begin, begin + size}, bytes);
        (void)buffer.insert(pool, kBase + begin, as_bytes(bytes), row.policy, kRegions);
      }
      for (const auto& [at, byte] : twin.cells()) {
        ASSERT_EQ(static_cast<char>(buffer.view(kBase + at, kBase + at + 1)[0]), byte)
            << name_of(row.policy) << " seed " << seed << " at " << at;
      }
    }
  }
}

// The same connection, its client's bytes in pieces that overlap at random and are acknowledged now and then: what the consumer gets
// is what the twin holds at that moment, and stays.
TEST(OverlapTable, DeliveredBytesAreTheTwinsAtDelivery) {
  for (const Row& row : kTable) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Random random(seed);
      TcpConfig config;
      config.os_policies = OsPolicyMap();
      config.os_policies.add("any", row.policy);
      TcpBench b(config);
      b.handshake();
      Twin twin(row.policy);
      std::string expected;
      uint64_t acknowledged = 0;
      for (int i = 0; i < 50; ++i) {
        // Not below what is acknowledged: that is final (see the next test).
        const uint64_t begin = acknowledged + random.below(30), size = 1 + random.below(20);
        std::string bytes;
        for (uint64_t k = 0; k < size; ++k) bytes += static_cast<char>('a' + random.below(26));
        b.c("A", static_cast<uint32_t>(1 + begin), 1, bytes);
        twin.add({begin, begin + size}, bytes);
        if (random.below(4) != 0) continue;
        uint64_t end = acknowledged;
        while (twin.cells().contains(end)) ++end;
        for (; acknowledged < end; ++acknowledged) expected += twin.cells().at(acknowledged);
        b.s("A", 1, static_cast<uint32_t>(1 + acknowledged));
        ASSERT_EQ(b.to_server(), expected) << name_of(row.policy) << " seed " << seed;
      }
    }
  }
}

TEST(OverlapTable, WhatWasDeliveredNeverChanges) {
  TcpConfig config;
  config.os_policies = OsPolicyMap();
  config.os_policies.add("any", OsPolicy::kLast);
  TcpBench b(config);
  b.handshake();
  b.c("A", 1, 1, "abcdef");
  b.s("A", 1, 4);
  Packet& other = b.c("A", 1, 1, "UVWXYZ");
  EXPECT_TRUE(other.events.has(PacketEvent::kStreamReassemblyOverlapDifferentData));
  b.s("A", 1, 7);
  EXPECT_EQ(b.to_server(), "abcXYZ");
  EXPECT_TRUE(b.session().ambiguous);
}

TEST(OverlapTable, SameBytesAgainAreNoConflict) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abcdef");
  Packet& same = b.c("A", 3, 1, "cdefgh");
  EXPECT_FALSE(same.events.has(PacketEvent::kStreamReassemblyOverlapDifferentData));
  EXPECT_FALSE(b.session().ambiguous);
  EXPECT_EQ(b.engine.counters().overlap, 1u);
}

// --- the property: how bytes are cut, ordered and repeated does not matter

TEST(SameBytes, AnyCutOrderAndRepetitionGivesTheSameStream) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += static_cast<char>(i * 31 % 251);
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    TcpConfig config;
    config.raw_chunk_bytes[0] = 1 + static_cast<uint32_t>(random.below(500));
    TcpBench b(config, static_cast<uint32_t>(random.below(2) == 0 ? 0xfffffff0 - random.below(2000) : 77));
    b.handshake();
    // Pieces that cover all, overlapping here and there; sent in a window of disorder, some twice.
    std::vector<Segment> pieces;
    for (uint64_t at = 0; at < text.size();) {
      const uint64_t size = std::min<uint64_t>(1 + random.below(120), text.size() - at);
      const uint64_t back = std::min<uint64_t>(at, random.below(3) == 0 ? random.below(30) : 0);
      pieces.push_back({at - back, at + size});
      if (random.below(5) == 0) pieces.push_back({at - back, at + size});
      at += size;
    }
    for (size_t i = 0; i + 1 < pieces.size(); ++i) {
      std::swap(pieces[i], pieces[i + random.below(std::min<size_t>(6, pieces.size() - i))]);
    }
    std::vector<bool> sent(text.size() + 1, false);
    uint64_t contiguous = 0, raw_seen = 0;
    std::string raw;
    for (const Segment& piece : pieces) {
      b.c("A", static_cast<uint32_t>(1 + piece.begin), 1,
          std::string_view(text).substr(piece.begin, piece.end - piece.begin));
      for (uint64_t i = piece.begin; i < piece.end; ++i) sent[i] = true;
      while (contiguous < text.size() && sent[contiguous]) ++contiguous;
      if (random.below(3) == 0) b.s("A", 1, static_cast<uint32_t>(1 + contiguous));
      const auto w = b.session().raw_window(Direction::kToServer, false);
      if (!w.data.empty()) {
        ASSERT_LE(w.offset, raw_seen);
        raw += as_text(w.data).substr(raw_seen - w.offset);
        raw_seen = w.offset + w.data.size();
        b.session().raw_done(Direction::kToServer, raw_seen);
      }
    }
    b.s("A", 1, static_cast<uint32_t>(1 + contiguous));
    ASSERT_EQ(b.to_server(), text) << seed;
    const auto w = b.session().raw_window(Direction::kToServer, true);
    if (!w.data.empty()) raw += as_text(w.data).substr(raw_seen - w.offset);
    ASSERT_EQ(raw, text) << seed;
    ASSERT_EQ(b.recorder.gaps[0], 0);
    ASSERT_EQ(b.engine.counters().overlap_different_data, 0u);
  }
}

// --- hostile streams cost memory and segments in bounds

TEST(Hostile, SegmentsOfOneByteWithHolesStayBounded) {
  TcpBench b;
  b.handshake();
  for (uint32_t n : {1u, 2u, 4u}) {
    for (uint32_t i = 0; i < n * 4000; ++i) b.c("A", 3 + i * 2, 1, "x");
    EXPECT_LE(b.engine.reassembly_memuse_bytes(), 65536u * 2);
  }
  EXPECT_GT(b.engine.counters().insert_limit, 0u);
  // The stream itself still works.
  b.c("A", 1, 1, "ab");
  b.s("A", 1, 3);
  EXPECT_EQ(b.to_server().substr(0, 2), "ab");
}

TEST(Hostile, FarSegmentsFindTheRegionLimit) {
  TcpConfig config;
  config.depth_bytes = 0;
  config.max_regions = 3;
  TcpBench b(config);
  Packet& syn = b.make(Direction::kToServer, "S", 0, 0, "");
  syn.tcp.has_wscale = true;
  syn.tcp.wscale = 14;
  b.feed(syn);
  Packet& synack = b.make(Direction::kToClient, "SA", 0, 1, "");
  synack.tcp.has_wscale = true;
  synack.tcp.wscale = 14;
  b.feed(synack);
  b.c("A", 1, 1);
  b.s("A", 1, 1);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(b.c("A", 10'000'000 * (i + 1), 1, "x").events.has(PacketEvent::kStreamReassemblyInsertLimit));
  }
  EXPECT_TRUE(b.c("A", 50'000'000, 1, "x").events.has(PacketEvent::kStreamReassemblyInsertLimit));
  EXPECT_LT(b.engine.reassembly_memuse_bytes(), 4096u);
}

TEST(Hostile, UrgentBytesWithoutEndFindTheLimit) {
  TcpConfig config;
  config.urgent_limit_policy = UrgentPolicy::kInline;
  TcpBench b(config);
  b.handshake();
  size_t noted = 0;
  for (uint32_t i = 0; i < 1000; ++i) {
    Packet& p = b.make(Direction::kToServer, "AU", 1 + i * 2, 1, "xy");
    p.tcp.urgent = 2;
    noted += b.feed(p).events.has(PacketEvent::kStreamReassemblyUrgentOobLimitReached);
  }
  EXPECT_EQ(noted, 1000 - kMaxUrgentAhead);
  EXPECT_EQ(b.session().of(Direction::kToServer).urgent_oob_bytes, kMaxUrgentAhead);
}

// --- urgent data

TEST(Urgent, TheMarkedByteIsTakenOut) {
  TcpBench b;
  b.handshake();
  Packet& p = b.make(Direction::kToServer, "AU", 1, 1, "abXcd");
  p.tcp.urgent = 3;
  b.feed(p);
  b.c("A", 6, 1, "ef");
  b.s("A", 1, 8);
  EXPECT_EQ(b.to_server(), "abcdef");
  EXPECT_EQ(b.session().summary().urgent_oob_to_server, 1u);
}

TEST(Urgent, SentAgainWithoutTheFlagTheByteStaysOut) {
  TcpBench b;
  b.handshake();
  Packet& p = b.make(Direction::kToServer, "AU", 1, 1, "abX");
  p.tcp.urgent = 3;
  b.feed(p);
  b.s("A", 1, 3);
  b.c("A", 1, 1, "abXcd");
  b.s("A", 1, 6);
  b.c("A", 1, 1, "abXcdef");
  b.s("A", 1, 8);
  EXPECT_EQ(b.to_server(), "abcdef");
  EXPECT_EQ(b.engine.counters().overlap_different_data, 0u);
}

TEST(Urgent, PoliciesInlineGapAndDrop) {
  const auto run = [](UrgentPolicy policy) {
    TcpConfig config;
    config.urgent_policy = policy;
    TcpBench b(config);
    b.handshake();
    Packet& p = b.make(Direction::kToServer, "AU", 1, 1, "abXcd");
    p.tcp.urgent = 3;
    b.feed(p);
    b.s("A", 1, 6);
    return b.to_server();
  };
  EXPECT_EQ(run(UrgentPolicy::kInline), "abXcd");
  EXPECT_EQ(run(UrgentPolicy::kGap), "ab<1>cd");
  EXPECT_EQ(run(UrgentPolicy::kOob), "abcd");
}

// --- configuration

TEST(OsPolicyMap, TheLongestPrefixDecides) {
  OsPolicyMap map;
  EXPECT_TRUE(map.add("0.0.0.0/0", OsPolicy::kWindows));
  EXPECT_TRUE(map.add("10.0.0.0/8", OsPolicy::kLinux));
  EXPECT_TRUE(map.add("10.1.2.3", OsPolicy::kSolaris));
  EXPECT_TRUE(map.add("2001:db8::/33", OsPolicy::kMacos));
  EXPECT_FALSE(map.add("10.0.0.0/33", OsPolicy::kLast));
  EXPECT_FALSE(map.add("nonsense", OsPolicy::kLast));
  EXPECT_EQ(map.of(*IpAddress::parse("192.168.1.1")), OsPolicy::kWindows);
  EXPECT_EQ(map.of(*IpAddress::parse("10.9.9.9")), OsPolicy::kLinux);
  EXPECT_EQ(map.of(*IpAddress::parse("10.1.2.3")), OsPolicy::kSolaris);
  EXPECT_EQ(map.of(*IpAddress::parse("2001:db8:7fff::1")), OsPolicy::kMacos);
  EXPECT_EQ(map.of(*IpAddress::parse("2001:db8:8000::1")), OsPolicy::kBsd);
}

TEST(TcpConfig, ReadsSettings) {
  Settings settings;
  settings.set("stream.midstream", "yes");
  settings.set("stream.inline", "auto");
  settings.set("stream.reassembly.depth", "2mb");
  settings.set("stream.reassembly.urgent.policy", "inline");
  settings.set("host-os-policy.linux.0", "10.0.0.0/8");
  const TcpConfig c = TcpConfig::from_settings(settings);
  EXPECT_TRUE(c.midstream);
  EXPECT_FALSE(c.inline_mode);
  EXPECT_EQ(c.depth_bytes, 2u << 20);
  EXPECT_EQ(c.urgent_policy, UrgentPolicy::kInline);
  EXPECT_EQ(c.os_policies.of(*IpAddress::parse("10.1.1.1")), OsPolicy::kLinux);
  EXPECT_EQ(c.os_policies.of(*IpAddress::parse("11.1.1.1")), OsPolicy::kBsd);
  EXPECT_EQ(TcpConfig::from_settings(Settings()).os_policies.of(*IpAddress::parse("11.1.1.1")), OsPolicy::kWindows);
}

}  // namespace
}  // namespace vong::reassembly
