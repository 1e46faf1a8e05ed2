// The metrics of all programs: names as the contract says, output that promtool takes, and
// docs/metrics.md as the tables say. VONG_WRITE_DOCS=1 writes the document anew.
#include "correlator/app/metrics.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "exporters/app/metrics.h"
#include "sensor/app/metrics.h"
#include "telemetry/registry.h"

namespace vong {
namespace {

struct Program {
  std::string_view name;
  std::span<const telemetry::MetricInfo> table;
};

std::vector<Program> programs() {
  return {{"sensor", sensor::metrics_table()},
          {"exporter", exporter::metrics_table()},
          {"correlator", correlator::metrics_table()}};
}

TEST(Metrics, NamesAreAsTheContractSays) {
  for (const Program& program : programs()) {
    for (const std::string& problem : telemetry::check_table(program.table, program.name))
      ADD_FAILURE() << problem;
  }
}

TEST(Metrics, PromtoolTakesThem) {
  if (std::system("command -v promtool >/dev/null") != 0)
    GTEST_SKIP() << "promtool is not installed";
  for (const Program& program : programs()) {
    telemetry::Registry registry(program.table);
    for (const telemetry::MetricInfo& info : program.table) {
      telemetry::Labels labels;
      if (!info.labels.empty()) labels.emplace_back(std::string(info.labels), "x");
      registry.add(info.name, labels, [] { return 1.0; });
    }
    const std::string text = registry.text();
    std::FILE* promtool = ::popen("promtool check metrics", "w");
    ASSERT_NE(promtool, nullptr);
    std::fwrite(text.data(), 1, text.size(), promtool);
    EXPECT_EQ(::pclose(promtool), 0) << program.name;
  }
}

TEST(Metrics, TheSensorsWorkersAreAddedUp) {
  sensor::WorkerCells a;
  sensor::WorkerCells b;
  a.cells[0].set(40);
  b.cells[0].set(2);
  telemetry::Registry registry(sensor::metrics_table());
  sensor::add_worker_metrics(registry, a);
  sensor::add_worker_metrics(registry, b);
  sensor::add_rule_metrics(registry, {.loaded = 7});
  const std::string text = registry.text();
  EXPECT_NE(text.find("vong_sensor_capture_packets_total 42\n"), std::string::npos) << text;
  EXPECT_NE(text.find("vong_sensor_not_inspected_packets_total{reason=\"kernel_drop\"} 0\n"),
            std::string::npos);
  EXPECT_NE(text.find("vong_sensor_rules{state=\"loaded\"} 7\n"), std::string::npos);
}

std::string document() {
  std::string text =
      "# Metrics\n\n"
      "Prometheus text at `metrics.listen` of each program (`/metrics`; `/healthz` beside it). "
      "Alert rules for them are in\n"
      "[deploy/alerts](../deploy/alerts), a dashboard in "
      "[deploy/dashboards](../deploy/dashboards). This page is written by a test from the\n"
      "programs' own tables (`VONG_WRITE_DOCS=1`).\n";
  for (const Program& program : programs()) {
    text += "\n## vong-" + std::string(program.name) + "\n\n" + telemetry::reference(program.table);
  }
  return text;
}

TEST(Metrics, TheReferenceIsUpToDate) {
  const std::string path = std::string(VONG_SOURCE_DIR) + "/docs/metrics.md";
  if (std::getenv("VONG_WRITE_DOCS") != nullptr) std::ofstream(path) << document();
  std::ifstream in(path);
  const std::string written{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(written, document()) << "run it with VONG_WRITE_DOCS=1";
}

}  // namespace
}  // namespace vong
