// What shall be searched for: a list of literals and regular expressions, each with the caller's
// number. A plain value; compile it with Matcher::compile or a MatcherCache. No thread may change
// it while another reads it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::matcher {

// The largest offset that a pattern's bounds may name; kNoLimit: no upper bound.
inline constexpr uint32_t kNoLimit = std::numeric_limits<uint32_t>::max();

struct LiteralOptions {
  bool nocase = false;        // ASCII letters match in either case
  uint32_t offset = 0;        // the match begins at this byte of the data or later
  uint32_t depth = kNoLimit;  // and ends within this many bytes from `offset`
};

// Flags of a regular expression; the syntax is what Hyperscan knows of PCRE.
struct RegexOptions {
  bool nocase = false;
  bool dot_all = false;     // '.' matches a newline
  bool multi_line = false;  // ^ and $ match at newlines
  bool utf8 =
      false;  // the data is UTF-8, a character is a code point; wrong data is undefined behaviour
  bool prefilter =
      false;  // accept constructs Hyperscan cannot do exactly: matches are then only candidates
  bool allow_empty = false;  // the expression may match the empty string
};

struct Pattern {
  enum class Kind : uint8_t { kLiteral, kRegex };
  Kind kind = Kind::kLiteral;
  uint32_t id = 0;   // comes back in the match; two patterns may share one
  std::string text;  // the bytes themselves, or the expression without delimiters
  LiteralOptions literal;
  RegexOptions regex;
};

class PatternSet {
 public:
  // `bytes` is copied and must not be empty (Matcher::compile refuses it).
  void add_literal(uint32_t id, Bytes bytes, const LiteralOptions& options = {});
  void add_literal(uint32_t id, std::string_view bytes, const LiteralOptions& options = {}) {
    add_literal(id, as_bytes(bytes), options);
  }
  void add_regex(uint32_t id, std::string_view expression, const RegexOptions& options = {});

  [[nodiscard]] const std::vector<Pattern>& patterns() const { return patterns_; }
  [[nodiscard]] size_t size() const { return patterns_.size(); }
  [[nodiscard]] bool empty() const { return patterns_.empty(); }
  // Everything that decides the answers, as bytes: two sets are equal exactly when these are.
  [[nodiscard]] std::string canonical_bytes() const;

 private:
  std::vector<Pattern> patterns_;
};

}  // namespace vong::matcher
