#include "sensor/detect/head_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace vong::detect {
namespace {

std::set<uint32_t> found(const HeadTable& table, Bytes data) {
  std::set<uint32_t> rules;
  table.find(data, [&](uint32_t rule) { rules.insert(rule); });
  return rules;
}

TEST(HeadTable, FindsAPatternAtEachOfItsPlacesOnly) {
  HeadTable table;
  ASSERT_TRUE(table.add(as_bytes("PING"), false, 4, 10, 7));  // begins at 4, 5 or 6
  table.finish();
  EXPECT_EQ(found(table, as_bytes("....PING")), (std::set<uint32_t>{7}));
  EXPECT_EQ(found(table, as_bytes("......PING...")), (std::set<uint32_t>{7}));
  EXPECT_EQ(found(table, as_bytes(".......PING")), (std::set<uint32_t>{}));
  EXPECT_EQ(found(table, as_bytes("...PING....")), (std::set<uint32_t>{}));
  EXPECT_EQ(found(table, as_bytes("....PIN")), (std::set<uint32_t>{}));
  EXPECT_EQ(found(table, as_bytes("....ping")), (std::set<uint32_t>{}));
}

TEST(HeadTable, RefusesWhatItCannotHold) {
  HeadTable table;
  EXPECT_FALSE(table.add(as_bytes("ab"), false, 0, 40, 1));   // too many places
  EXPECT_FALSE(table.add(as_bytes("ab"), false, 70, 72, 1));  // behind the head
  EXPECT_FALSE(table.add(as_bytes("abcd"), false, 2, 5, 1));  // does not fit
  table.finish();
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(found(table, as_bytes("abcd")), (std::set<uint32_t>{}));
}

TEST(HeadTable, FindsWhatComparingEachPlaceFinds) {
  std::mt19937 random(5);
  const std::string_view bytes = "aAbB\x01";
  const auto text = [&](size_t n) {
    std::string s;
    for (size_t i = 0; i < n; ++i) s += bytes[random() % bytes.size()];
    return s;
  };
  for (int round = 0; round < 50; ++round) {
    struct Pattern {
      std::string text;
      bool nocase;
      size_t first, end;
    };
    std::vector<Pattern> patterns;
    for (int i = 0; i < 40; ++i) {
      Pattern p{text(1 + random() % 6), random() % 2 == 0, random() % 50, 0};
      if (p.nocase) {
        for (char& c : p.text) c = static_cast<char>(ascii_lower(static_cast<uint8_t>(c)));
      }
      p.end = p.first + p.text.size() + random() % 4;
      patterns.push_back(p);
    }
    HeadTable table;
    for (uint32_t i = 0; i < patterns.size(); ++i)
      ASSERT_TRUE(table.add(as_bytes(patterns[i].text), patterns[i].nocase, patterns[i].first,
                            patterns[i].end, i));
    table.finish();
    const std::string data = text(random() % 90);
    std::set<uint32_t> expected;
    for (uint32_t i = 0; i < patterns.size(); ++i) {
      const Pattern& p = patterns[i];
      for (size_t at = p.first; at + p.text.size() <= std::min(p.end, data.size()); ++at) {
        std::string there = data.substr(at, p.text.size());
        if (p.nocase) {
          for (char& c : there) c = static_cast<char>(ascii_lower(static_cast<uint8_t>(c)));
        }
        if (there == p.text) expected.insert(i);
      }
    }
    EXPECT_EQ(found(table, as_bytes(data)), expected);
  }
}

}  // namespace
}  // namespace vong::detect
