#include "telemetry/registry.h"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cassert>

namespace vong::telemetry {
namespace {

std::string label_names(const Labels& labels) {
  std::string names;
  for (const auto& [name, value] : labels) names += (names.empty() ? "" : ",") + name;
  return names;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

void Registry::add(std::string_view name, Labels labels, const Counter& cell) {
  add(name, std::move(labels), [&cell] { return static_cast<double>(cell.value()); });
}
void Registry::add(std::string_view name, Labels labels, const SharedCounter& cell) {
  add(name, std::move(labels), [&cell] { return static_cast<double>(cell.value()); });
}
void Registry::add(std::string_view name, Labels labels, const Gauge& cell) {
  add(name, std::move(labels), [&cell] { return static_cast<double>(cell.value()); });
}

void Registry::add(std::string_view name, Labels labels, std::function<double()> read) {
  const auto info = std::ranges::find(table_, name, &MetricInfo::name);
  assert(info != table_.end() && "the metric is not in the program's table");
  if (info == table_.end()) return;
  assert(label_names(labels) == info->labels && "other labels than the table says");
  const std::lock_guard lock(mutex_);
  const auto same = std::ranges::find_if(
      series_, [&](const Series& s) { return s.info == &*info && s.labels == labels; });
  if (same != series_.end()) {
    same->parts.push_back(std::move(read));
  } else {
    series_.push_back({&*info, std::move(labels), {}});
    series_.back().parts.push_back(std::move(read));
  }
}

std::string Registry::text() const {
  std::vector<prometheus::MetricFamily> families;
  const std::lock_guard lock(mutex_);
  for (const MetricInfo& info : table_) {
    prometheus::MetricFamily family;
    family.name = info.name;
    family.help = info.help;
    family.type = info.kind == Kind::kCounter ? prometheus::MetricType::Counter
                                              : prometheus::MetricType::Gauge;
    for (const Series& series : series_) {
      if (series.info != &info) continue;
      double value = 0;
      for (const auto& part : series.parts) value += part();
      prometheus::ClientMetric metric;
      for (const auto& [name, text] : series.labels) metric.label.push_back({name, text});
      if (info.kind == Kind::kCounter)
        metric.counter.value = value;
      else
        metric.gauge.value = value;
      family.metric.push_back(std::move(metric));
    }
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::vector<std::string> check_table(std::span<const MetricInfo> table, std::string_view program) {
  std::vector<std::string> problems;
  const std::string prefix = fmt::format("vong_{}_", program);
  for (const MetricInfo& info : table) {
    auto wrong = [&](std::string_view what) {
      problems.push_back(fmt::format("{}: {}", info.name, what));
    };
    if (!info.name.starts_with(prefix)) wrong(fmt::format("does not begin with {}", prefix));
    if (!is_name(info.name)) wrong("has other characters than a-z, 0-9 and _");
    if ((info.kind == Kind::kCounter) != info.name.ends_with("_total"))
      wrong("counters, and only they, end in _total");
    if (info.help.size() < 10 || info.help.ends_with('.'))
      wrong("needs a help text of one sentence without a period");
    if (std::ranges::count(table, info.name, &MetricInfo::name) != 1)
      wrong("is twice in the table");
  }
  return problems;
}

std::string reference(std::span<const MetricInfo> table) {
  std::string out = "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n";
  for (const MetricInfo& info : table) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", info.name,
                       info.kind == Kind::kCounter ? "counter" : "gauge", info.labels, info.help);
  }
  return out;
}

}  // namespace vong::telemetry
