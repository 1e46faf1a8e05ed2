// How patterns are looked for: the search inside a buffer and the table of what stands at the beginning.
#include <gmock/gmock.h>

#include <random>

#include "sensor/detect/inspect.h"
#include "sensor/detect/prefix_table.h"
#include "tests/unit/sensor/detect/fixture.h"

namespace vong::detect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

size_t slow_find(std::string_view data, size_t from, size_t to, std::string_view pattern, bool nocase) {
  for (size_t i = from; i + pattern.size() <= to; ++i) {
    const std::string there(data.substr(i, pattern.size()));
    if ((nocase ? to_lower(there) : there) == pattern) return i;
  }
  return kNotFound;
}

TEST(FindBytes, AgreesWithTheSlowTwin) {
  std::mt19937 random(3);
  const std::string_view alphabet("aAbB@`[{\0\xff", 10);
  for (int round = 0; round < 20'000; ++round) {
    std::string data, pattern;
    const size_t letters = 2 + random() % (alphabet.size() - 1);
    for (size_t n = random() % 150; n > 0; --n) data += alphabet[random() % letters];
    for (size_t n = 1 + random() % 5; n > 0; --n) pattern += alphabet[random() % letters];
    const bool nocase = random() % 2 == 0;
    if (nocase) pattern = to_lower(pattern);
    const size_t from = data.empty() ? 0 : random() % data.size(), to = from + random() % (data.size() - from + 1);
    ASSERT_EQ(find_bytes(as_bytes(data), from, to, as_bytes(pattern), nocase), slow_find(data, from, to, pattern, nocase)) << round;
  }
}

TEST(FindBytes, DataFullOfBothEndsOfThePatternIsSearchedToTheEnd) {
  const std::string pattern = "a" + std::string(20, 'b') + "a";
  const std::string data = std::string(5'000, 'a') + pattern + "a";
  EXPECT_EQ(find_bytes(as_bytes(data), 0, data.size(), as_bytes(pattern), false), 5'000u);
  EXPECT_EQ(find_bytes(as_bytes(data), 0, data.size() - 2, as_bytes(pattern), false), kNotFound);
}

std::vector<uint32_t> found(const PrefixTable& table, std::string_view data) {
  std::vector<uint32_t> rules;
  table.find(as_bytes(data), [&](uint32_t rule) { rules.push_back(rule); });
  return rules;
}

TEST(PrefixTable, FindsWhatDataBeginsWith) {
  PrefixTable table;
  const std::string_view patterns[] = {"a", "ab", "abc", "xy", "get "};
  for (uint32_t i = 0; i < std::size(patterns); ++i) table.add(as_bytes(patterns[i]), i == 4, i);
  table.finish();
  EXPECT_THAT(found(table, ""), IsEmpty());
  EXPECT_THAT(found(table, "a"), ElementsAre(0));
  EXPECT_THAT(found(table, "A"), IsEmpty());
  EXPECT_THAT(found(table, "abcd"), UnorderedElementsAre(0, 1, 2));
  EXPECT_THAT(found(table, "yxy"), IsEmpty());
  EXPECT_THAT(found(table, "GeT /"), ElementsAre(4));
  EXPECT_THAT(found(table, "GET"), IsEmpty());
}

using Places = DetectTest;

// Enough rules that patterns are searched for, not tried one by one; the first ones of each kind are the ones that match.
std::string many(std::string_view format_of_content, int first_sid) {
  std::string rules;
  for (int i = 0; i < 8; ++i) {
    std::string content(format_of_content);
    content.replace(content.find('#'), 1, i == 0 ? "needle" : "straw" + std::to_string(i));
    rules += "alert udp any any -> any any (" + content + " sid:" + std::to_string(first_sid + i) + ";)\n";
  }
  return rules;
}

TEST_F(Places, PatternsAreFoundWhereTheyMayStand) {
  load(many("content:\"#\"; startswith;", 100) + many("content:\"#\"; offset:4; depth:20;", 200) + many("content:\"#\";", 300) +
       many("content:\"#\"; offset:100;", 400) + many("content:\"#\"; nocase; depth:6;", 500) + many("content:\"x#\"; fast_pattern:1,4;", 600));
  EXPECT_THAT(sids(packet("needle")), UnorderedElementsAre(100, 300, 500));
  EXPECT_THAT(sids(packet("NEEDLE")), UnorderedElementsAre(500));
  EXPECT_THAT(sids(packet("....needle")), UnorderedElementsAre(200, 300));
  EXPECT_THAT(sids(packet(std::string(18, '.') + "needle")), UnorderedElementsAre(200, 300));
  EXPECT_THAT(sids(packet(std::string(19, '.') + "needle")), UnorderedElementsAre(300));
  EXPECT_THAT(sids(packet(std::string(99, '.') + "needle")), UnorderedElementsAre(300));
  EXPECT_THAT(sids(packet(std::string(99, '.') + "xneedle")), UnorderedElementsAre(300, 400, 600));
}

}  // namespace
}  // namespace vong::detect
