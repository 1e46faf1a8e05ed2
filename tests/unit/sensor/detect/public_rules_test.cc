// The development rule set beside the repository, when it is there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "sensor/detect/rule_set.h"

namespace vong::detect {
namespace {

TEST(PublicRules, EveryRuleLoads) {
  const char* shared = std::getenv("VONG_SHARED");
  const std::filesystem::path rules =
      (shared != nullptr ? std::filesystem::path(shared) : std::filesystem::path("../shared")) / "conformance/rules/etopen-merged.rules";
  if (!std::filesystem::exists(rules)) GTEST_SKIP() << "no " << rules;
  LoadOptions options;
  options.files = {rules.string()};
  options.cache_dir = std::getenv("VONG_TEST_CACHE") != nullptr ? std::getenv("VONG_TEST_CACHE") : "";
  Settings settings;
  LoadReport report;
  const clock_t start = std::clock();
  auto set = RuleSet::load(options, settings, report);
  ASSERT_TRUE(set.has_value()) << set.error().message;
  std::map<std::string, int> reasons;
  for (const auto& d : report.diagnostics) {
    if (++reasons[d.message] == 1) std::printf("%s\n", d.format().c_str());
  }
  for (const auto& [reason, n] : reasons) std::printf("%6d %s\n", n, reason.c_str());
  std::printf("loaded %u failed %u skipped %u; ip %u packet %u stream %u tx %u events %u; %lu patterns in %lu sets, %lu cached; %.2f s, %.1f MB\n",
              report.counts.loaded, report.counts.failed, report.counts.skipped, report.counts.ip_only, report.counts.packet, report.counts.stream,
              report.counts.transaction, report.counts.events_only, report.patterns, report.pattern_sets, report.sets_from_cache,
              static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, static_cast<double>((*set)->memory_bytes()) / 1e6);
  EXPECT_EQ(report.counts.failed, 0u);
}

}  // namespace
}  // namespace vong::detect
