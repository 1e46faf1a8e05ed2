// Counters of several workers brought together.
#include "sensor/app/stats_board.h"

#include <gtest/gtest.h>

namespace vong::sensor {
namespace {

std::string name(std::string text) {
  for (char& c : text) c = c == '.' ? kStatsDot : c;
  return text;
}

StatsCounters counters(std::initializer_list<std::pair<const char*, uint64_t>> list) {
  StatsCounters out;
  for (const auto& [text, value] : list) out.push_back({name(text), value});
  return out;
}

uint64_t value(const StatsCounters& all, const char* text) {
  for (const auto& c : all) {
    if (c.name == name(text)) return c.value;
  }
  return UINT64_MAX;
}

TEST(Stats, SumsButForMaximaAndAverages) {
  const auto total = sum_stats({counters({{"decoder.pkts", 2}, {"decoder.bytes", 200}, {"decoder.avg_pkt_size", 100}, {"decoder.max_pkt_size", 150}}), {},
                                counters({{"decoder.pkts", 2}, {"decoder.bytes", 1000}, {"decoder.avg_pkt_size", 500}, {"decoder.max_pkt_size", 700}})});
  EXPECT_EQ(value(total, "decoder.pkts"), 4u);
  EXPECT_EQ(value(total, "decoder.avg_pkt_size"), 300u);
  EXPECT_EQ(value(total, "decoder.max_pkt_size"), 700u);
}

TEST(Stats, ACounterThatOneWorkerAloneHasStandsAmongItsOwn) {
  const auto total = sum_stats({counters({{"a.x", 1}, {"b.y", 2}}), counters({{"a.x", 1}, {"a.rare", 5}, {"b.y", 2}})});
  EXPECT_EQ(stats_json(total, true), R"("a":{"x":2,"rare":5},"b":{"y":4})");
}

TEST(Stats, ObjectsWithNothingButZerosAreLeftOut) {
  const auto all = counters({{"a.b.c", 0}, {"a.d", 1}, {"e.f", 0}});
  EXPECT_EQ(stats_json(all, false), R"("a":{"d":1})");
  EXPECT_EQ(stats_json(all, true), R"("a":{"b":{"c":0},"d":1},"e":{"f":0})");
}

}  // namespace
}  // namespace vong::sensor
