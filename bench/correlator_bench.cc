// correlator_bench EVENTS [RUNS [EXTRA_RULES]]: the three jobs of bench/correlator/rules over
// EVENTS, by one thread and by two (reading ahead), beside parsing alone in the same process:
// simdjson On-Demand, line by line, the fields that the rules and the evidence need, nothing else.
// EXTRA_RULES synthetic detection rules are added that ask for other signatures, strings and
// networks. Prints medians with minimum and maximum; CPU seconds of the process, so a busy machine
// disturbs little, and seconds by the clock.
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <vector>

#include "correlator/app/offline.h"
#include "correlator/ingest/line_reader.h"
#include "events/limits.h"
#include "rules/network/read_file.h"
#include "rules/sigma/loader.h"

namespace {

using namespace vong;

double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double clock_seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double peak_mb() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_maxrss) / 1024;
}

// Events read, and a sum over the fields so that nothing is optimised away.
uint64_t parse_alone(const std::string& file, uint64_t& sum) {
  namespace ondemand = simdjson::ondemand;
  ondemand::parser parser;
  uint64_t events = 0;
  const auto text = [&](simdjson::simdjson_result<ondemand::value> v) {
    std::string_view s;
    if (!v.get_string().get(s)) sum += s.size();
  };
  const auto number = [&](simdjson::simdjson_result<ondemand::value> v) {
    uint64_t n = 0;
    if (!v.get_uint64().get(n)) sum += n;
  };
  const auto done = ingest::read_lines(file, [&](const ingest::Line& l) {
    ondemand::document d;
    if (parser.iterate(l.text.data(), l.text.size(), l.text.size() + events::kRecordPaddingBytes)
            .get(d))
      return true;
    text(d.find_field("timestamp"));
    number(d.find_field("flow_id"));
    text(d.find_field("event_type"));
    text(d.find_field("src_ip"));
    text(d.find_field("dest_ip"));
    number(d.find_field("alert").find_field("signature_id"));
    text(d.find_field("agency"));
    text(d.find_field("host"));
    ++events;
    return true;
  });
  if (!done) {
    fmt::print(stderr, "{}\n", done.error().message);
    std::exit(1);
  }
  return events;
}

std::string synthetic_rules(size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) {
    out += fmt::format(
        "---\ntitle: synthetic {0}\nname: synthetic_{0}\nlogsource: {{product: suricata, category: "
        "alert}}\ndetection:\n  s:\n",
        i);
    switch (i % 4) {
      case 0:
        out += fmt::format("    alert.signature_id: {}\n    src_port: {}\n", 3'000'000 + i,
                           i % 60'000);
        break;
      case 1:
        out += fmt::format("    alert.signature|contains: 'family-{}-variant'\n", i);
        break;
      case 2:
        out += fmt::format("    src_ip|cidr: 240.{}.{}.0/24\n    alert.severity|lte: 2\n",
                           i / 250 % 250, i % 250);
        break;
      default:
        out += fmt::format(
            "    alert.category: 'Synthetic category {}'\n    alert.signature|endswith: 'ending "
            "{}'\n",
            i, i);
        break;
    }
    out += "  condition: s\n";
  }
  return out;
}

struct Figure {
  std::vector<double> values;
  [[nodiscard]] std::string text(const char* format) {
    std::sort(values.begin(), values.end());
    const auto f = [&](double v) { return fmt::format(fmt::runtime(format), v); };
    return fmt::format("{} (min {}, max {})", f(values[values.size() / 2]), f(values.front()),
                       f(values.back()));
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: correlator_bench EVENTS [RUNS [EXTRA_RULES]]\n");
    return 2;
  }
  const std::string source = VONG_SOURCE_DIR;
  const size_t runs = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 5;
  const size_t extra = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0;
  correlator::Options options;
  options.inputs = {argv[1]};
  options.engine.campaign.enabled = false;
  options.pseudonym_key = "bench";
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("vong_bench_{}", getpid());
  options.log_dir = folder.string();
  rules::Diagnostics found("agencies.yaml");
  const auto text = rules::read_file(source + "/bench/correlator/agencies.yaml");
  if (!text) {
    fmt::print(stderr, "{}\n", text.error().message);
    return 1;
  }
  const enrich::Registry registry = enrich::Registry::parse(*text, found);
  sigma::Loader loader;
  loader.add_path(source + "/bench/correlator/rules");
  loader.add_text("synthetic", synthetic_rules(extra));
  const sigma::RuleSet rules = loader.finish();
  for (const auto& d : loader.diagnostics()) fmt::print(stderr, "{}\n", d.format());
  app::Signals signals;
  Figure alone, alone_clock, ratio;
  struct Run {  // by so many threads
    Figure by_cpu, by_clock;
  } by_threads[2];
  correlator::OfflineReport report;
  for (size_t i = 0; i < runs; ++i) {
    uint64_t sum = 0;
    const double start = cpu_seconds(), start_clock = clock_seconds();
    const uint64_t events = parse_alone(argv[1], sum);
    const double parsed = cpu_seconds() - start;
    alone.values.push_back(static_cast<double>(events) / parsed / 1e6);
    alone_clock.values.push_back(static_cast<double>(events) / (clock_seconds() - start_clock) /
                                 1e6);
    if (sum == 0) return 1;
    for (int threads = 1; threads <= 2; ++threads) {
      options.threads = threads;
      const double before = cpu_seconds(), before_clock = clock_seconds();
      auto ran = correlator::run_offline(options, registry, rules, signals);
      const double spent = cpu_seconds() - before, passed = clock_seconds() - before_clock;
      if (!ran) {
        fmt::print(stderr, "{}\n", ran.error().message);
        return 1;
      }
      if (threads == 2 && ran->matches != report.matches) {
        fmt::print(stderr, "two threads find something else than one\n");
        return 1;
      }
      report = *ran;
      Run& run = by_threads[threads - 1];
      run.by_cpu.values.push_back(static_cast<double>(report.records) / spent / 1e6);
      run.by_clock.values.push_back(static_cast<double>(report.records) / passed / 1e6);
      if (threads == 1) ratio.values.push_back(parsed / spent);
    }
  }
  std::filesystem::remove_all(folder);
  fmt::print("events                     {}\n", report.records);
  fmt::print("rules                      {} detections, {} correlations\n", rules.detections.size(),
             rules.correlations.size());
  for (const auto& [title, matches] : report.matches)
    fmt::print("matches                    {}  {}\n", matches, title);
  fmt::print("parsing alone, M events/CPU-s   {}\n", alone.text("{:.3f}"));
  fmt::print("parsing alone, M events/s       {}\n", alone_clock.text("{:.3f}"));
  for (int threads = 1; threads <= 2; ++threads) {
    Run& run = by_threads[threads - 1];
    const char* name = threads == 1 ? "one thread, " : "two threads,";
    fmt::print("{} M events/CPU-s    {}\n", name, run.by_cpu.text("{:.3f}"));
    fmt::print("{} M events/s        {}\n", name, run.by_clock.text("{:.3f}"));
  }
  fmt::print("ratio to parsing alone          {}\n", ratio.text("{:.3f}"));
  fmt::print("peak memory, MB                 {:.0f}\n", peak_mb());
  return 0;
}
