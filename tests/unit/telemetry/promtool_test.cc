// Real output through Prometheus' own checker; skipped where promtool is not installed.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "telemetry/registry.h"

namespace vong::telemetry {
namespace {

TEST(Promtool, AcceptsTheTextFormat) {
  if (std::system("command -v promtool >/dev/null") != 0)
    GTEST_SKIP() << "promtool is not installed";
  constexpr MetricInfo kTable[] = {
      {"vong_test_packets_total", Kind::kCounter, "", "Packets that were seen"},
      {"vong_test_dropped_packets_total", Kind::kCounter, "reason",
       "Packets that were not inspected, \"why\""},
      {"vong_test_spool_bytes", Kind::kGauge, "", "Bytes on disk"},
  };
  Registry registry(kTable);
  Counter a, b;
  Gauge g;
  b.add(1'000'000'000'000);
  g.set(-5);
  registry.add("vong_test_packets_total", {}, a);
  registry.add("vong_test_dropped_packets_total", {{"reason", "a\"b\\c\nd"}}, b);
  registry.add("vong_test_spool_bytes", {}, g);
  std::FILE* promtool = ::popen("promtool check metrics", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string text = registry.text();
  EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), promtool), text.size());
  EXPECT_EQ(::pclose(promtool), 0);
}

}  // namespace
}  // namespace vong::telemetry
