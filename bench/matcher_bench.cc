// The floor under a rule-matching sensor: Hyperscan alone, block mode, every TCP and UDP payload
// byte of a capture against one set of every rule's fast pattern of at least four bytes. Prints
// CPU-seconds, one "name value" a line.
//
//   matcher_bench RULES CAPTURE.pcap [repetitions [least pattern bytes [cache directory]]]
//
// Checks its answer: on a sample of payloads, the ids that were found are held against the naive
// twin.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <vector>

#include "bench/pcap_mmap.h"
#include "rules/matcher/matcher.h"
#include "rules/matcher/matcher_cache.h"
#include "rules/matcher/naive_matcher.h"
#include "rules/network/rule_file.h"
#include "rules/network/value.h"

namespace vong::bench {
namespace {

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct FastPattern {
  std::string bytes;
  bool nocase = false;

  friend auto operator<=>(const FastPattern&, const FastPattern&) = default;
};

// The content marked fast_pattern, else the longest one that is not negated.
std::optional<FastPattern> fast_pattern_of(const rules::Rule& rule) {
  std::vector<FastPattern> contents;
  std::optional<size_t> chosen;
  std::vector<bool> negated;
  for (const rules::Option& option : rule.options) {
    if (option.name == "content" || option.name == "uricontent") {
      const auto content = rules::parse_content(option.value);
      if (!content) return {};
      contents.push_back({content->bytes, false});
      negated.push_back(content->negated);
    } else if (!contents.empty() && option.name == "nocase") {
      contents.back().nocase = true;
    } else if (!contents.empty() && option.name == "fast_pattern") {
      chosen = contents.size() - 1;
    }
  }
  for (size_t i = 0; !chosen && i < contents.size(); ++i) {
    if (!negated[i]) chosen = i;
  }
  if (!chosen) return {};
  const bool marked = rule.find("fast_pattern") != nullptr;
  for (size_t i = 0; !marked && i < contents.size(); ++i) {
    if (!negated[i] && contents[i].bytes.size() > contents[*chosen].bytes.size()) chosen = i;
  }
  return contents[*chosen];
}

matcher::PatternSet fast_patterns(const rules::RuleFile& file, size_t least_bytes) {
  std::map<FastPattern, uint32_t> distinct;
  for (const rules::Rule& rule : file.rules()) {
    const auto pattern = fast_pattern_of(rule);
    if (!pattern || pattern->bytes.size() < least_bytes) continue;
    distinct.try_emplace(*pattern, static_cast<uint32_t>(distinct.size()));
  }
  matcher::PatternSet set;
  for (const auto& [pattern, id] : distinct) {
    set.add_literal(id, pattern.bytes, {.nocase = pattern.nocase});
  }
  return set;
}

struct Totals {
  uint64_t payloads = 0;
  uint64_t bytes = 0;
  uint64_t matches = 0;
};

Totals scan_all(const PcapMmap& capture, const matcher::Matcher& matcher,
                matcher::Scratch& scratch) {
  Totals totals;
  capture.for_each_frame([&](Bytes frame) {
    const Bytes payload = capture.payload(frame);
    if (payload.empty()) return;
    ++totals.payloads;
    totals.bytes += payload.size();
    (void)matcher.scan(payload, scratch, [&](uint32_t, uint64_t) { return ++totals.matches != 0; });
  });
  return totals;
}

// A payload in 1,000 up to 32 KiB of them: enough to see a wrong matcher, little enough for the
// slow twin.
bool check(const PcapMmap& capture, const matcher::PatternSet& set, const matcher::Matcher& matcher,
           matcher::Scratch& scratch) {
  constexpr size_t kCheckedBytesMax = 32 * 1024;
  size_t checked = 0;
  size_t index = 0;
  bool good = true;
  capture.for_each_frame([&](Bytes frame) {
    const Bytes payload = capture.payload(frame);
    if (payload.empty() || index++ % 1000 != 0 || checked > kCheckedBytesMax) return;
    checked += payload.size();
    std::vector<uint32_t> found;
    (void)matcher.scan(payload, scratch, [&](uint32_t id, uint64_t) {
      found.push_back(id);
      return true;
    });
    std::vector<uint32_t> expected;
    for (const matcher::Match& match : matcher::naive_scan(set, payload)) {
      expected.push_back(match.id);
    }
    std::sort(found.begin(), found.end());
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    good = good && found == expected;
  });
  return good;
}

size_t number(const char* text, size_t fallback) {
  const std::string_view view(text);
  size_t value = fallback;
  std::from_chars(view.data(), view.data() + view.size(), value);
  return value;
}

int run(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr,
               "usage: matcher_bench RULES CAPTURE.pcap [repetitions [least pattern bytes [cache "
               "directory]]]\n");
    return 2;
  }
  const size_t repetitions = argc > 3 ? number(argv[3], 1) : 1;
  const size_t least_bytes = argc > 4 ? number(argv[4], 4) : 4;
  const auto file = rules::RuleFile::load(argv[1]);
  const auto capture = PcapMmap::open(argv[2]);
  if (!file || !capture) {
    fmt::print(stderr, "matcher_bench: {}\n", (file ? capture.error() : file.error()).message);
    return 2;
  }
  const std::vector<matcher::PatternSet> sets = {fast_patterns(**file, least_bytes)};
  double start = cpu_seconds();
  matcher::MatcherCache cache(argc > 5 ? argv[5] : "");
  const auto compiled = cache.build(sets).front();
  if (!compiled) {
    fmt::print(stderr, "matcher_bench: {}\n", compiled.error().message);
    return 1;
  }
  const matcher::Matcher& matcher = **compiled;
  fmt::print("patterns {}\nfrom_cache {}\nbuild_cpu_s {:.3f}\ndatabase_bytes {}\n", sets[0].size(),
             cache.stats().loaded, cpu_seconds() - start, matcher.memory_bytes());
  matcher::Scratch scratch;
  if (!scratch.prepare(matcher)) return 1;
  std::vector<double> seconds;
  Totals totals;
  for (size_t i = 0; i < std::max<size_t>(repetitions, 1); ++i) {
    start = cpu_seconds();
    totals = scan_all(*capture, matcher, scratch);
    seconds.push_back(cpu_seconds() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  fmt::print("payloads {}\npayload_bytes {}\nmatches {}\n", totals.payloads, totals.bytes,
             totals.matches);
  fmt::print("scan_cpu_s_min {:.3f}\nscan_cpu_s_median {:.3f}\nscan_cpu_s_max {:.3f}\n",
             seconds.front(), median, seconds.back());
  fmt::print("scan_gbit_per_cpu_s {:.3f}\n", static_cast<double>(totals.bytes) * 8e-9 / median);
  const bool good = check(*capture, sets[0], matcher, scratch);
  fmt::print("answer {}\n", good ? "right" : "WRONG");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace vong::bench

int main(int argc, char** argv) { return vong::bench::run(argc, argv); }
