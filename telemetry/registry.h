// From the rooms' counters (base/counter.h) to Prometheus' text.
//
// A room declares its cells in a struct and knows nothing of metrics. The program has one table
// that names every metric (MetricInfo: name, kind, labels, help), and ties cells to it at its
// start:
//
//   constexpr MetricInfo kMetrics[] = {
//     {"vong_sensor_decode_packets_total", Kind::kCounter, "", "Packets that reached the decoder"},
//     ... };
//   Registry registry(kMetrics);
//   registry.add("vong_sensor_decode_packets_total", {}, worker.decode.packets);       // a cell a
//   worker: they are added up registry.add("vong_sensor_dropped_packets_total", {{"reason",
//   "ring_full"}}, worker.ring_full);
//
// The table is also the source of the metrics reference (reference()), so no metric is without help
// text and none undocumented. Threads: add() and text() from any; cells are read without a lock and
// have to outlive the registry.
#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/counter.h"

namespace vong::telemetry {

enum class Kind { kCounter, kGauge };

// Name: vong_<program>_<thing>_<unit>, counters with _total at the end.
struct MetricInfo {
  std::string_view name;
  Kind kind;
  std::string_view labels;  // names with commas between, empty for none
  std::string_view help;    // one sentence without a period at the end
};

using Labels = std::vector<std::pair<std::string, std::string>>;

class Registry {
 public:
  // The table has to outlive the registry.
  explicit Registry(std::span<const MetricInfo> table) : table_(table) {}

  // `name` has to be in the table with just these label names (assert: it is our own mistake).
  // Cells added under the same name and labels are summed.
  void add(std::string_view name, Labels labels, const Counter& cell);
  void add(std::string_view name, Labels labels, const SharedCounter& cell);
  void add(std::string_view name, Labels labels, const Gauge& cell);
  void add(std::string_view name, Labels labels, std::function<double()> read);

  // Prometheus' text format 0.0.4, in the table's order, label sets in the order added. Metrics
  // without a cell are left out.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] std::span<const MetricInfo> table() const { return table_; }

 private:
  struct Series {
    const MetricInfo* info;
    Labels labels;
    std::vector<std::function<double()>> parts;
  };

  std::span<const MetricInfo> table_;
  mutable std::mutex mutex_;
  std::vector<Series> series_;
};

// What is wrong with a table, a line each; empty when all is well. For the tests of the programs.
[[nodiscard]] std::vector<std::string> check_table(std::span<const MetricInfo> table,
                                                   std::string_view program);

// The rows of the metrics reference, Markdown.
[[nodiscard]] std::string reference(std::span<const MetricInfo> table);

}  // namespace vong::telemetry
