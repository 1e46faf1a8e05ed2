// PCRE2 as rules use it: match limits, captures into variables, JIT when first used. Immutable after construction but for
// the JIT's one-time compilation, which is thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;
struct pcre2_real_match_data_8;

namespace vong::detect {

struct RegexLimits {
  uint32_t match = 3500, depth = 1500;   // pcre.match-limit, pcre.match-limit-recursion
};

// One thread's working memory.
class RegexScratch {
 public:
  RegexScratch();
  ~RegexScratch();
  RegexScratch(const RegexScratch&) = delete;
  RegexScratch& operator=(const RegexScratch&) = delete;
  [[nodiscard]] Bytes group(Bytes subject, uint32_t i) const;   // of the last match; empty when it took no part

 private:
  friend class Regex;
  pcre2_real_match_data_8* data_;
  uint32_t groups_ = 0;
};

class Regex {
 public:
  struct Options {
    bool caseless = false, multiline = false, dotall = false, extended = false, anchored = false, dollar_endonly = false,
         ungreedy = false, no_limits = false;
  };
  [[nodiscard]] static Result<std::unique_ptr<Regex>> compile(std::string_view expression, const Options& options,
                                                              const RegexLimits& limits);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  enum class Outcome : uint8_t { kMatch, kNoMatch, kLimit };
  // Searches `subject` from `start` on; the match is [begin, end).
  [[nodiscard]] Outcome search(Bytes subject, size_t start, RegexScratch& scratch, size_t& begin, size_t& end) const;
  [[nodiscard]] uint32_t capture_count() const;
  // Number of the group of this name, or -1.
  [[nodiscard]] int group_number(const std::string& name) const;
  [[nodiscard]] std::vector<std::pair<std::string, uint32_t>> named_groups() const;

  // Captures that become variables: group number -> name and scope.
  enum class Scope : uint8_t { kFlow, kPacket, kAlert };
  struct Capture {
    uint32_t group;
    Scope scope;
    std::string name;
  };
  std::vector<Capture> captures;   // filled by the keyword before the regex is shared

 private:
  Regex() = default;
  pcre2_real_code_8* code_ = nullptr;
  pcre2_real_match_context_8* context_ = nullptr;
  mutable std::once_flag jit_once_;
};

}  // namespace vong::detect
