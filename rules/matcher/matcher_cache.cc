#include "rules/matcher/matcher_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "rules/matcher/cache_file.h"
#include "rules/matcher/limits.h"

namespace vong::matcher {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".vps";

void add(CacheStats& total, const CacheStats& part) {
  total.loaded += part.loaded;
  total.compiled += part.compiled;
  total.shared += part.shared;
  total.refused += part.refused;
  total.damaged += part.damaged;
  total.foreign += part.foreign;
  total.written += part.written;
  total.write_failed += part.write_failed;
  total.deleted += part.deleted;
}

std::string platform_and_options(const CompileOptions& options) {
  return Matcher::platform_key() + " expressions" + (options.single_match ? " single" : " every");
}

struct CachedFile {
  fs::path path;
  fs::file_time_type used;
  uint64_t bytes = 0;
};

std::vector<CachedFile> list_directory(const std::string& directory) {
  std::vector<CachedFile> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().extension() != kExtension) continue;
    const uint64_t bytes = entry.file_size(ignored);
    if (ignored) continue;
    files.push_back({entry.path(), entry.last_write_time(ignored), bytes});
  }
  return files;
}

}  // namespace

struct MatcherCache::Job {
  const PatternSet* set = nullptr;
  std::string key;
  std::string canonical;
  std::string path;  // empty: not kept on disk
  std::optional<Matcher::Compiled> result;
};

void MatcherCache::run(Job& job, const CompileOptions& options, CacheStats& stats) const {
  if (!job.path.empty()) {
    const CacheFile file(job.path, job.key, job.canonical);
    stats.foreign += file.state() == CacheFileState::kForeign;
    stats.damaged += file.state() == CacheFileState::kDamaged;
    if (file.state() == CacheFileState::kGood) {
      if (auto matcher = Matcher::deserialize(file.compiled(), job.set->size())) {
        ++stats.loaded;
        job.result = std::move(*matcher);
        return;
      }
      ++stats.damaged;
    }
  }
  job.result = Matcher::compile(*job.set, options);
  if (!job.result->has_value()) {
    ++stats.refused;
    return;
  }
  ++stats.compiled;
  if (job.path.empty()) return;
  const auto compiled = (**job.result)->serialize();
  const bool ok = compiled && write_cache_file(job.path, job.key, job.canonical, *compiled);
  ++(ok ? stats.written : stats.write_failed);
}

std::vector<Matcher::Compiled> MatcherCache::build(std::span<const PatternSet> sets,
                                                   const CompileOptions& options,
                                                   unsigned threads) {
  std::error_code ignored;  // a directory that cannot be made shows as write_failed
  if (!directory_.empty()) fs::create_directories(directory_, ignored);
  const std::string key = platform_and_options(options);
  std::vector<Job> jobs;
  std::vector<size_t> job_of_set;
  std::map<std::string, size_t> job_by_canonical;
  for (const PatternSet& set : sets) {
    std::string canonical = set.canonical_bytes();
    const auto [at, is_new] = job_by_canonical.try_emplace(canonical, jobs.size());
    job_of_set.push_back(at->second);
    if (!is_new) {
      ++stats_.shared;
      continue;
    }
    Job& job = jobs.emplace_back();
    job.set = &set;
    job.key = key;
    if (!directory_.empty() && !set.empty()) {
      const uint64_t seed = checksum(as_bytes(key));
      job.path = fmt::format("{}/{:016x}{:016x}{}", directory_, checksum(as_bytes(canonical), seed),
                             checksum(as_bytes(canonical), ~seed), kExtension);
    }
    job.canonical = std::move(canonical);
  }

  // Largest first, so that no thread is left alone with a big one at the end.
  std::vector<size_t> order(jobs.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return jobs[a].canonical.size() > jobs[b].canonical.size();
  });
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  threads = std::min({threads, kMaxCompileThreads, static_cast<unsigned>(jobs.size())});
  std::atomic<size_t> next{0};
  std::vector<CacheStats> stats(std::max(threads, 1u));
  const auto work = [&](CacheStats& mine) {
    for (size_t i = next++; i < order.size(); i = next++) run(jobs[order[i]], options, mine);
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned t = 1; t < threads; ++t) {
      helpers.emplace_back([&work, &mine = stats[t]] { work(mine); });
    }
    work(stats[0]);
  }
  for (const CacheStats& part : stats) add(stats_, part);
  if (!directory_.empty()) prune(jobs);

  std::vector<Matcher::Compiled> results;
  results.reserve(sets.size());
  for (const size_t job : job_of_set) results.push_back(*jobs[job].result);
  return results;
}

void MatcherCache::prune(std::span<const Job> jobs) {
  std::vector<CachedFile> files = list_directory(directory_);
  uint64_t bytes = 0;
  for (const CachedFile& file : files) bytes += file.bytes;
  size_t count = files.size();
  if (bytes <= kMaxCacheBytes && count <= kMaxCacheFiles) return;
  std::sort(files.begin(), files.end(),
            [](const CachedFile& a, const CachedFile& b) { return a.used < b.used; });
  std::vector<fs::path> used;
  for (const Job& job : jobs) used.emplace_back(job.path);
  std::sort(used.begin(), used.end());
  for (const CachedFile& file : files) {
    if (bytes <= kMaxCacheBytes && count <= kMaxCacheFiles) return;
    std::error_code failed;
    if (std::binary_search(used.begin(), used.end(), file.path)) continue;
    if (!fs::remove(file.path, failed) || failed) continue;
    bytes -= file.bytes;
    --count;
    ++stats_.deleted;
  }
}

}  // namespace vong::matcher
