// A run from files by two threads writes the bytes that one writes.
#include "correlator/app/offline.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/unit/correlator/app/engine_fixture.h"

namespace vong::correlator {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAgencies = R"(
agencies:
  - {id: A, name: A, kind: ministry}
  - {id: B, name: B, kind: ministry}
)";

constexpr const char* kRules = R"(
title: x
name: x
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 1}, condition: s}
---
title: y
name: y
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 2}, condition: s}
---
title: x then y
name: then
correlation: {type: temporal_ordered, rules: [x, y], group-by: [src_ip], timespan: 10m}
)";

class Offline : public testing::Test {
 protected:
  Offline() : folder_(fs::temp_directory_path() / ("vong_offline_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~Offline() override { fs::remove_all(folder_); }

  // Events of sensors some of whose names are alike but for their ends, and lines that are none.
  std::string events(size_t count, int64_t late_every) {
    std::mt19937 random(3);
    std::ofstream out(folder_ / "events.json");
    for (size_t i = 0; i < count; ++i) {
      int64_t ns = kStart + static_cast<int64_t>(i) * kSecond;
      if (late_every > 0 && static_cast<int64_t>(i) % late_every == late_every - 1)
        ns -= 3'000 * kSecond;
      std::string json = alert_json(ns, i + 1, "198.51.100." + std::to_string(random() % 50),
                                    "10.0.0.1", static_cast<uint32_t>(1 + random() % 3));
      json.pop_back();
      json += R"(,"agency":")" + std::string(random() % 2 == 0 ? "A" : "B") + R"(","host":"s)" +
              std::string(300, 'n') + std::to_string(random() % 9) + "\"}";
      out << json << '\n';
      if (i % 97 == 0) out << "no record " << i << '\n';
    }
    return folder_ / "events.json";
  }

  std::map<std::string, std::string> run(const std::string& input, int threads) {
    Options o;
    o.inputs = {input};
    o.threads = threads;
    o.per_recipient = true;
    o.pseudonym_key = "a key for the pseudonyms";
    o.log_dir = folder_ / ("out" + std::to_string(threads));
    const enrich::Registry registry = registry_of(kAgencies);
    const sigma::RuleSet rules = rules_of(kRules);
    app::Signals signals;
    const auto report = run_offline(o, registry, rules, signals);
    EXPECT_TRUE(report) << report.error().message;
    if (!report) return {};
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(o.log_dir)) {
      if (!entry.is_regular_file()) continue;
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      files[fs::relative(entry.path(), o.log_dir)] = text.str();
    }
    files["report"] = std::to_string(report->records) + " " + std::to_string(report->refused) +
                      " " + std::to_string(report->matched) + " " + std::to_string(report->sorted);
    for (const auto& [title, matches] : report->matches)
      files["report"] += " " + title + " " + std::to_string(matches);
    return files;
  }

  fs::path folder_;
};

TEST_F(Offline, TwoThreadsWriteTheBytesOfOne) {
  const std::string input = events(20'000, 0);
  const auto one = run(input, 1);
  ASSERT_GT(one.at("incidents.json").size(), 10'000u);
  ASSERT_GT(one.at("dead-letter.json").size(), 1'000u);
  EXPECT_TRUE(one == run(input, 2));
}

TEST_F(Offline, TwoThreadsSortWhatComesLateAsOneDoes) {
  const std::string input = events(8'000, 1'000);
  const auto one = run(input, 1);
  EXPECT_TRUE(one == run(input, 2));
}

TEST_F(Offline, AFileThatIsNotThereFailsWithTwoThreadsToo) {
  Options o;
  o.inputs = {(folder_ / "nothing.json").string()};
  o.threads = 2;
  o.log_dir = folder_ / "out";
  const enrich::Registry registry = registry_of(kAgencies);
  const sigma::RuleSet rules = rules_of(kRules);
  app::Signals signals;
  EXPECT_FALSE(run_offline(o, registry, rules, signals));
}

}  // namespace
}  // namespace vong::correlator
