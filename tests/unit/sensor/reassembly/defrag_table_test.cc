// Every sequence of up to three fragments over four eight-byte blocks, each with content of its
// own, put together under each policy and compared with a slow, obviously right model; for pairs
#include <gtest/gtest.h>


#include <array>
#include <map>
#include <string>
#include <vector>

#include "sensor/reassembly/fragment_buffer.h"

namespace vong::reassembly {
namespace {

constexpr uint32_t kBlock = 8;
constexpr std::array<DefragPolicy, kDefragPolicies> kPolicies = {
    DefragPolicy::kFirst, DefragPolicy::kLast,    DefragPolicy::kBsd,    DefragPolicy::kBsdRight,
    DefragPolicy::kLinux, DefragPolicy::kWindows, DefragPolicy::kSolaris};

struct Fragment {
  uint32_t first, last;  // blocks [first, last)
};

// One letter a block; '.' where nothing is.
std::string model(DefragPolicy policy, const std::vector<Fragment>& sequence) {
  constexpr int kNobody = -1;
  std::vector<int> owner(8, kNobody);
  for (size_t i = 0; i < sequence.size(); ++i) {
    for (uint32_t b = sequence[i].first; b < sequence[i].last; ++b) {
      const int old = owner[b];
      if (old == kNobody) {
        owner[b] = static_cast<int>(i);
        continue;
      }
      const Fragment& o = sequence[static_cast<size_t>(old)];
      const Fragment& n = sequence[i];
      bool wins = false;  // defrag_policy.h in words
      switch (policy) {
        case DefragPolicy::kFirst:
          wins = false;
          break;
        case DefragPolicy::kLast:
          wins = true;
          break;
        case DefragPolicy::kBsd:
          wins = n.first < o.first;
          break;
        case DefragPolicy::kBsdRight:
          wins = !(n.first < o.first);
          break;
        case DefragPolicy::kLinux:
          wins = !(o.first < n.first);
          break;
        case DefragPolicy::kWindows:
          wins = n.first < o.first && n.last > o.last;
          break;
        case DefragPolicy::kSolaris:
          wins = n.first < o.first && !(n.last < o.last);
          break;
      }
      if (wins) owner[b] = static_cast<int>(i);
    }
  }
  std::string out;
  for (int o : owner) out.push_back(o == kNobody ? '.' : static_cast<char>('A' + o));
  return out;
}

struct Result {
  std::string blocks;
  bool overlap = false, conflict = false;
};

// The same through the buffer; a leading and a trailing fragment close the gaps so that the bytes
// can be read.
Result real(DefragPolicy policy, const std::vector<Fragment>& sequence) {
  Result r;
  FragmentBuffer buffer;
  uint32_t end = 0;
  std::array<bool, 8> covered{};
  for (size_t i = 0; i < sequence.size(); ++i) {
    const Fragment& f = sequence[i];
    const std::vector<uint8_t> data((f.last - f.first) * kBlock, static_cast<uint8_t>('A' + i));
    const auto outcome = buffer.insert(policy, f.first * kBlock, data);
    EXPECT_TRUE(outcome.accepted);
    r.overlap |= outcome.overlap;
    r.conflict |= outcome.conflict;
    end = std::max(end, f.last);
    for (uint32_t b = f.first; b < f.last; ++b) covered[b] = true;
  }
  EXPECT_EQ(buffer.end(), end * kBlock);
  const std::vector<uint8_t> dots(kBlock, '.');
  bool gap = false;
  for (uint32_t b = 0; b < end; ++b) {
    if (covered[b]) continue;
    gap = true;
    EXPECT_TRUE(buffer.has_gap());
    const auto outcome = buffer.insert(policy, b * kBlock, dots);
    EXPECT_FALSE(outcome.overlap);
  }
  EXPECT_FALSE(buffer.has_gap()) << gap;
  std::vector<uint8_t> bytes(buffer.end());
  buffer.copy_to(bytes.data());
  for (uint32_t b = 0; b < 8; ++b) {
    if (b >= end) {
      r.blocks.push_back('.');
      continue;
    }
    for (uint32_t i = 1; i < kBlock; ++i) EXPECT_EQ(bytes[b * kBlock + i], bytes[b * kBlock]);
    r.blocks.push_back(static_cast<char>(bytes[b * kBlock]));
  }
  return r;
}

std::vector<Fragment> all_fragments() {
  std::vector<Fragment> all;
  for (uint32_t first = 0; first < 4; ++first) {
    for (uint32_t last = first + 1; last <= 4; ++last) all.push_back({first, last});
  }
  return all;
}

TEST(DefragTable, EverySequenceOfUpToThreeFragmentsIsAsItsPolicySays) {
  const auto fragments = all_fragments();  // 10: 1,110 sequences, 7 policies
  size_t sequences = 0;
  const auto check = [&](const std::vector<Fragment>& sequence) {
    ++sequences;
    for (const auto policy : kPolicies) {
      const Result r = real(policy, sequence);
      ASSERT_EQ(r.blocks, model(policy, sequence)) << name_of(policy) << " sequence " << sequences;
      ASSERT_EQ(r.overlap, r.conflict);  // every fragment has content of its own
    }
  };
  for (const auto& a : fragments) {
    check({a});
    for (const auto& b : fragments) {
      check({a, b});
      for (const auto& c : fragments) check({a, b, c});
    }
  }
  EXPECT_EQ(sequences, 10u + 100u + 1000u);
}

TEST(DefragTable, OverlapIsAmbiguousExactlyWhenPoliciesCanDisagree) {
  for (const auto& a : all_fragments()) {
    for (const auto& b : all_fragments()) {
      const bool disagree =
          real(DefragPolicy::kFirst, {a, b}).blocks != real(DefragPolicy::kLast, {a, b}).blocks;
      EXPECT_EQ(real(DefragPolicy::kBsd, {a, b}).conflict, disagree);
    }
  }
}

TEST(DefragTable, SameContentIsAnOverlapButNotAmbiguous) {
  FragmentBuffer buffer;
  const std::vector<uint8_t> data(24, 'x');
  EXPECT_FALSE(buffer.insert(DefragPolicy::kBsd, 0, data).overlap);
  const auto outcome = buffer.insert(DefragPolicy::kBsd, 8, data);
  EXPECT_TRUE(outcome.overlap);
  EXPECT_FALSE(outcome.conflict);
}

// All relations that two fragments can have (blocks of the first: 2 and 3, [2, 4)), result of
// blocks 0 to 5.
TEST(DefragTable, PairsInFull) {
  struct Row {
    const char* relation;
    Fragment second;
    std::map<DefragPolicy, std::string> blocks;
  };
  using P = DefragPolicy;
  const auto row = [](const char* relation, Fragment second, const char* first, const char* last,
                      const char* bsd, const char* bsd_right, const char* linux_,
                      const char* windows, const char* solaris) {
    return Row{relation,
               second,
               {{P::kFirst, first},
                {P::kLast, last},
                {P::kBsd, bsd},
                {P::kBsdRight, bsd_right},
                {P::kLinux, linux_},
                {P::kWindows, windows},
                {P::kSolaris, solaris}}};
  };
  const std::vector<Row> table = {
      //                                       first     last      bsd       bsd-right linux windows
      //                                       solaris
      row("ends where the first begins", {0, 2}, "BBAA..", "BBAA..", "BBAA..", "BBAA..", "BBAA..",
          "BBAA..", "BBAA.."),
      row("ends inside", {1, 3}, ".BAA..", ".BBA..", ".BBA..", ".BAA..", ".BBA..", ".BAA..",
          ".BAA.."),
      row("before, same end", {1, 4}, ".BAA..", ".BBB..", ".BBB..", ".BAA..", ".BBB..", ".BAA..",
          ".BBB.."),
      row("around", {1, 5}, ".BAAB.", ".BBBB.", ".BBBB.", ".BAAB.", ".BBBB.", ".BBBB.", ".BBBB."),
      row("same begin, shorter", {2, 3}, "..AA..", "..BA..", "..AA..", "..BA..", "..BA..", "..AA..",
          "..AA.."),
      row("the same", {2, 4}, "..AA..", "..BB..", "..AA..", "..BB..", "..BB..", "..AA..", "..AA.."),
      row("same begin, longer", {2, 5}, "..AAB.", "..BBB.", "..AAB.", "..BBB.", "..BBB.", "..AAB.",
          "..AAB."),
      row("inside, same end", {3, 4}, "..AA..", "..AB..", "..AA..", "..AB..", "..AA..", "..AA..",
          "..AA.."),
      row("begins inside", {3, 5}, "..AAB.", "..ABB.", "..AAB.", "..ABB.", "..AAB.", "..AAB.",
          "..AAB."),
      row("begins where the first ends", {4, 5}, "..AAB.", "..AAB.", "..AAB.", "..AAB.", "..AAB.",
          "..AAB.", "..AAB."),
  };
  for (const Row& r : table) {
    for (const auto& [policy, blocks] : r.blocks) {
      EXPECT_EQ(real(policy, {{2, 4}, r.second}).blocks.substr(0, 6), blocks)
          << name_of(policy) << ": " << r.relation;
    }
  }
}

// The sequence of Novak's paper, blocks of eight bytes.
TEST(DefragTable, SequenceOfThePaper) {
  struct Sent {
    uint32_t block, blocks;
  };
  const std::vector<Sent> sent = {{0, 3},  {4, 2},  {6, 3},  {10, 1}, {13, 2}, {15, 3},
                                  {18, 2}, {20, 2}, {22, 1}, {1, 4},  {6, 3},  {9, 3},
                                  {12, 3}, {16, 1}, {19, 1}, {20, 1}, {22, 2}};
  const std::map<DefragPolicy, std::string> expected = {
      {DefragPolicy::kBsd, "AAAJJBCCCLLLMMMFFFGGHHIQ"},
      {DefragPolicy::kBsdRight, "AJJJBBKKKLDLMEEFNFGOPHQQ"},
      {DefragPolicy::kLinux, "AAAJJBKKKLLLMMMFFFGGPHQQ"},
      {DefragPolicy::kFirst, "AAAJBBCCCLDLMEEFFFGGHHIQ"},
      {DefragPolicy::kLast, "AJJJJBKKKLLLMMMFNFGOPHQQ"},
      {DefragPolicy::kSolaris, "AAAJBBCCCLLLMMMFFFGGHHIQ"},
      {DefragPolicy::kWindows, "AAAJBBCCCLLLMEEFFFGGHHIQ"}};
  for (const auto& [policy, blocks] : expected) {
    FragmentBuffer buffer;
    for (size_t i = 0; i < sent.size(); ++i) {
      const std::vector<uint8_t> data(sent[i].blocks * kBlock, static_cast<uint8_t>('A' + i));
      (void)buffer.insert(policy, sent[i].block * kBlock, data);
    }
    ASSERT_FALSE(buffer.has_gap());
    std::vector<uint8_t> bytes(buffer.end());
    buffer.copy_to(bytes.data());
    std::string got;
    for (size_t i = 0; i < bytes.size(); i += kBlock) got.push_back(static_cast<char>(bytes[i]));
    EXPECT_EQ(got, blocks) << name_of(policy);
  }
}

// Cut in any way and in any order, fragments that agree give the same datagram.
TEST(DefragTable, AgreeingFragmentsGiveTheDatagramUnderEveryPolicy) {
  std::vector<uint8_t> datagram(5000);
  uint32_t random = 12345;
  const auto next = [&](uint32_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  for (auto& b : datagram) b = static_cast<uint8_t>(next(256));
  for (const auto policy : kPolicies) {
    for (int round = 0; round < 50; ++round) {
      FragmentBuffer buffer;
      int inserted = 0;
      while ((buffer.end() != datagram.size() || buffer.has_gap()) && ++inserted < 20'000) {
        const uint32_t begin = next(static_cast<uint32_t>(datagram.size()) / 8 + 1) * 8;
        const uint32_t length =
            std::min<uint32_t>(1 + next(400), static_cast<uint32_t>(datagram.size()) - begin);
        const auto outcome = buffer.insert(policy, begin, Bytes(datagram).subspan(begin, length));
        ASSERT_FALSE(outcome.conflict);
      }
      std::vector<uint8_t> bytes(buffer.end());
      buffer.copy_to(bytes.data());
      ASSERT_EQ(bytes, datagram);
    }
  }
}

}  // namespace
}  // namespace vong::reassembly
