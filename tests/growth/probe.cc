// Runs each worst input at n, 2n and 4n through a whole worker and says what it cost, by counters:
// a JSON line a run. Under `valgrind --tool=callgrind` each run also ends with a dump of the
// instructions executed, named like the run: growth_test.py reads both.
//   growth_probe [NAME_PREFIX...]
#include <fmt/format.h>
#include <malloc.h>
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

#include "sensor/app/plan.h"
#include "sensor/app/worker.h"
#include "tests/growth/worst_inputs.h"
#include "tests/unit/sensor/app/traffic.h"

namespace {

struct Heap {
  uint64_t allocations = 0, allocated_bytes = 0;
  int64_t live_bytes = 0, peak_bytes = 0;
} heap;

void* count_new(void* p) {
  if (p == nullptr) throw std::bad_alloc();
  const auto size = static_cast<int64_t>(malloc_usable_size(p));
  ++heap.allocations;
  heap.allocated_bytes += static_cast<uint64_t>(size);
  heap.live_bytes += size;
  heap.peak_bytes = std::max(heap.peak_bytes, heap.live_bytes);
  return p;
}
void count_delete(void* p) {
  if (p != nullptr) heap.live_bytes -= static_cast<int64_t>(malloc_usable_size(p));
  std::free(p);
}

}  // namespace

void* operator new(size_t n) { return count_new(std::malloc(n)); }
void* operator new(size_t n, std::align_val_t a) {
  return count_new(std::aligned_alloc(
      static_cast<size_t>(a),
      (n + static_cast<size_t>(a) - 1) / static_cast<size_t>(a) * static_cast<size_t>(a)));
}
void operator delete(void* p) noexcept { count_delete(p); }
void operator delete(void* p, size_t) noexcept { count_delete(p); }
void operator delete(void* p, std::align_val_t) noexcept { count_delete(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { count_delete(p); }

namespace vong::growth {
namespace {

using namespace vong::sensor;

struct Sink : emit::LineSink {
  void line(std::string_view json, const emit::LineInfo&) override { bytes += json.size(); }
  uint64_t bytes = 0;
};

struct Run {
  uint64_t bytes_in = 0, log_bytes = 0, parse_bytes = 0;
  int64_t left_bytes = 0;
};

class Bench {
 public:
  Bench() {
    Settings settings;
    settings.set("stream.reassembly.depth", "0");  // all of a stream is looked at
    settings.set("app-layer.protocols.pgsql.enabled", "yes");
    settings.set("stats.enabled", "no");
    settings.set("detect.other-readings.enabled", "yes");
    detect::LoadReport report;
    auto rule_set =
        detect::RuleSet::from_text("growth", std::string(rules()), {}, settings, report);
    if (!rule_set || report.counts.failed != 0) {
      std::fprintf(stderr, "growth_probe: the rules do not load\n");
      std::exit(2);
    }
    Options options;
    options.checksums = "none";
    fill_plan(plan_, options, std::move(settings), *rule_set);
    shared_ = std::make_unique<detect::SharedState>(plan_.settings);
  }

  Run run(const Frames& frames, const std::string& name) {
    Run r;
    for (const auto& f : frames) r.bytes_in += f.size();
    Sink sink;
    Worker worker(plan_, *shared_, sink);
    begin();
    uint64_t n = 0;
    for (const auto& f : frames) {
      ++n;
      worker.process(Traffic::raw(f, n, static_cast<int64_t>(n) * 10));
    }
    const int64_t before_end = heap.live_bytes;
    worker.finish();
    end(name);
    r.left_bytes = before_end - start_;
    r.log_bytes = sink.bytes;
    for (const auto& c : {worker.driver().counters()}) r.parse_bytes = c.parse_bytes;
    return r;
  }
  template <typename F>
  void toy(F f, const std::string& name) {
    begin();
    f();
    end(name);
  }
  [[nodiscard]] const Heap& cost() const { return cost_; }

 private:
  void begin() {
    start_ = heap.peak_bytes = heap.live_bytes;
    heap.allocations = heap.allocated_bytes = 0;
    CALLGRIND_ZERO_STATS;
  }
  void end(const std::string& name) {
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    cost_ = heap;
    cost_.peak_bytes -= start_;
  }
  Plan plan_;
  std::unique_ptr<detect::SharedState> shared_;
  Heap cost_;
  int64_t start_ = 0;
};

// What the method must catch: looks at all it has for each new byte; keeps a copy of all for each
// 64 new ones.
void quadratic_work(size_t n) {
  std::string all;
  volatile size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    all += 'x';
    for (const char c : all) found = found + (c == 'y');
  }
}
void quadratic_memory(size_t n) {
  std::vector<std::string> copies;
  std::string all;
  for (size_t i = 0; i < n; i += 64) {
    all.append(64, 'x');
    copies.push_back(all);
  }
}
void linear(size_t n) {
  std::string all;
  volatile size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    all += 'x';
    found = found + (all[i] == 'y');
  }
}

void tell(const std::string& name, std::string_view kind, size_t times, const Run& r,
          const Heap& h) {
  std::printf(
      "%s\n",
      fmt::format("{{\"case\":\"{}\",\"kind\":\"{}\",\"times\":{},\"bytes_in\":{},\"allocations\":{"
                  "},\"allocated_bytes\":{},"
                  "\"peak_bytes\":{},\"left_bytes\":{},\"log_bytes\":{},\"parse_bytes\":{}}}",
                  name, kind, times, r.bytes_in, h.allocations, h.allocated_bytes, h.peak_bytes,
                  r.left_bytes, r.log_bytes, r.parse_bytes)
          .c_str());
  std::fflush(stdout);
}

int run_all(int argc, char** argv) {
  const auto wanted = [&](const std::string& name) {
    if (argc < 2) return true;
    for (int i = 1; i < argc; ++i) {
      if (name.starts_with(argv[i])) return true;
    }
    return false;
  };
  Bench bench;
  CALLGRIND_START_INSTRUMENTATION;
  bench.run(Traffic::connection(40000, {"GET / HTTP/1.1\r\nHost: h\r\n\r\n"}),
            "warm");  // what is made once
  for (const size_t times : {1, 2, 4}) {
    const size_t n = 2048 * times;
    const std::pair<const char*, void (*)(size_t)> toys[] = {
        {"toy.quadratic_work", quadratic_work},
        {"toy.quadratic_memory", quadratic_memory},
        {"toy.linear", linear}};
    for (const auto& [name, f] : toys) {
      bench.toy([&] { f(n); }, fmt::format("{}/{}", name, times));
      Run r;
      r.bytes_in = n;
      tell(name, "toy", times, r, bench.cost());
    }
  }
  for (const Case& c : worst_inputs()) {
    if (!wanted(c.name)) continue;
    for (const size_t times : {1, 2, 4}) {
      const Frames frames = c.frames(c.n * times);
      const Run r = bench.run(frames, fmt::format("{}/{}", c.name, times));
      tell(c.name, c.kind, times, r, bench.cost());
    }
  }
  return 0;
}

}  // namespace
}  // namespace vong::growth

int main(int argc, char** argv) { return vong::growth::run_all(argc, argv); }
