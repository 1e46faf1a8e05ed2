// A compiled pattern set (Hyperscan, block mode). Immutable: any number of threads scan with one
// Matcher, each with a Scratch of its own.
//
//   auto matcher = Matcher::compile(set);            // expected<shared_ptr<const Matcher>,
//   CompileError> Scratch scratch;                                  // one per thread
//   scratch.prepare(**matcher);                       // once per matcher, not on the packet path
//   (*matcher)->scan(payload, scratch, [&](uint32_t id, uint64_t end) { hits.push_back(id); return
//   true; });
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "rules/matcher/pattern_set.h"

struct hs_database;
struct hs_scratch;

namespace vong::matcher {

struct CompileOptions {
  // Each id is reported at most once a scan, at its first end. Much cheaper where only "was it
  // there" matters. Off: every end of every match.
  bool single_match = true;
};

struct CompileError {
  static constexpr size_t kNoPattern = static_cast<size_t>(-1);
  size_t pattern_index =
      kNoPattern;       // into PatternSet::patterns(), kNoPattern when it is the set as a whole
  std::string message;  // names the pattern
};

enum class ScanResult : uint8_t {
  kDone,     // all data was searched
  kStopped,  // the callback said so
  kError,    // scratch not prepared for this matcher, or already in use by a scan further up the
             // stack
};

class Matcher;

// Working memory of scans. One thread at a time; a callback must not scan with the scratch that
// called it.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(Scratch&& other) noexcept : scratch_(std::exchange(other.scratch_, nullptr)) {}
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(scratch_, other.scratch_);
    return *this;
  }

  // Makes it large enough for `matcher` besides those it was prepared for before. False: out of
  // memory.
  [[nodiscard]] bool prepare(const Matcher& matcher);
  [[nodiscard]] size_t memory_bytes() const;

 private:
  friend class Matcher;
  hs_scratch* scratch_ = nullptr;
};

class Matcher {
 public:
  using Compiled = std::expected<std::shared_ptr<const Matcher>, CompileError>;

  // An empty set gives a matcher that never matches. May take seconds; no I/O, any thread.
  [[nodiscard]] static Compiled compile(const PatternSet& set, const CompileOptions& options = {});
  // The first pattern of the set that cannot be compiled, found by compiling each alone; for
  // diagnostics of regular expressions.
  [[nodiscard]] static std::expected<void, CompileError> check(const Pattern& pattern);

  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  // Calls on_match(uint32_t id, uint64_t end_offset) -> bool for matches, in order of end_offset as
  // far as Hyperscan orders them (across patterns not guaranteed); false stops the scan.
  // `end_offset` is one past the last byte. Data of 4 GiB or more is refused with kError.
  template <typename OnMatch>
  ScanResult scan(Bytes data, Scratch& scratch, OnMatch&& on_match) const {
    using Function = std::remove_reference_t<OnMatch>;
    return scan_raw(
        data, scratch,
        [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) -> int {
          return (*static_cast<Function*>(context))(static_cast<uint32_t>(id),
                                                    static_cast<uint64_t>(to))
                     ? 0
                     : 1;
        },
        const_cast<void*>(static_cast<const void*>(std::addressof(on_match))));
  }

  [[nodiscard]] size_t pattern_count() const { return pattern_count_; }
  [[nodiscard]] size_t memory_bytes() const;
  // Portable form for MatcherCache; only valid for the same Hyperscan version and CPU.
  [[nodiscard]] Result<std::string> serialize() const;
  // `bytes` from serialize(), of a set of `pattern_count` patterns. The bytes must come from a
  // source that is trusted not to be forged; damage is found by a checksum.
  [[nodiscard]] static Result<std::shared_ptr<const Matcher>> deserialize(Bytes bytes,
                                                                          size_t pattern_count);
  // Hyperscan's version and the CPU features that a database depends on: the key of a cache.
  [[nodiscard]] static std::string platform_key();

 private:
  friend class Scratch;
  using RawMatch = int (*)(unsigned id, unsigned long long from, unsigned long long to,
                           unsigned flags, void* context);
  Matcher(hs_database* database, size_t pattern_count)
      : database_(database), pattern_count_(pattern_count) {}
  ScanResult scan_raw(Bytes data, Scratch& scratch, RawMatch on_match, void* context) const;

  hs_database* database_;  // null: the empty set
  size_t pattern_count_;
};

}  // namespace vong::matcher
