// Compiles many pattern sets at once, in parallel, and keeps the compiled form on disk: one file
// for each set, so that changing one rule compiles only its set anew.
//
// The directory must be writable by the program's user only. Files of another owner, or writable by
// others, are not read. Each file holds the patterns themselves beside the compiled form: a file is
// used only when they are equal to the set's, byte by byte, so neither a hash collision nor a
// renamed file can load the wrong set. A damaged file is compiled anew and replaced. Files are
// written under another name and renamed: a reader sees a whole file or none.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rules/matcher/matcher.h"

namespace vong::matcher {

struct CacheStats {
  uint64_t loaded = 0;    // from disk
  uint64_t compiled = 0;  // anew
  uint64_t shared = 0;    // equal to another set of the same call
  uint64_t refused = 0;   // Hyperscan would not compile it
  uint64_t damaged = 0;   // files with a wrong checksum, length or content
  uint64_t foreign = 0;   // files of another Hyperscan, CPU, format or owner
  uint64_t written = 0;
  uint64_t write_failed = 0;  // the result is good, the next start compiles again
  uint64_t deleted = 0;       // to keep the directory under limits.h's caps
};

class MatcherCache {
 public:
  // An empty directory name: nothing is kept on disk. The directory is made when it does not exist.
  explicit MatcherCache(std::string directory) : directory_(std::move(directory)) {}

  // One result a set, in order. `threads` 0: as many as there are CPUs. Not to be called by two
  // threads at once; two processes may share a directory.
  [[nodiscard]] std::vector<Matcher::Compiled> build(std::span<const PatternSet> sets,
                                                     const CompileOptions& options = {},
                                                     unsigned threads = 0);
  [[nodiscard]] const CacheStats& stats() const { return stats_; }  // since construction

 private:
  struct Job;
  void run(Job& job, const CompileOptions& options, CacheStats& stats) const;
  void prune(std::span<const Job> jobs);

  std::string directory_;
  CacheStats stats_;
};

}  // namespace vong::matcher
