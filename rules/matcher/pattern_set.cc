#include "rules/matcher/pattern_set.h"

#include <cstring>

namespace vong::matcher {
namespace {

void put_u32(std::string& out, uint32_t value) {
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out.append(bytes, 4);
}

}  // namespace

void PatternSet::add_literal(uint32_t id, Bytes bytes, const LiteralOptions& options) {
  Pattern& pattern = patterns_.emplace_back();
  pattern.kind = Pattern::Kind::kLiteral;
  pattern.id = id;
  pattern.text = as_text(bytes);
  pattern.literal = options;
}

void PatternSet::add_regex(uint32_t id, std::string_view expression, const RegexOptions& options) {
  Pattern& pattern = patterns_.emplace_back();
  pattern.kind = Pattern::Kind::kRegex;
  pattern.id = id;
  pattern.text = expression;
  pattern.regex = options;
}

std::string PatternSet::canonical_bytes() const {
  std::string out;
  for (const Pattern& pattern : patterns_) {
    put_u32(out, static_cast<uint32_t>(pattern.text.size()));
    put_u32(out, pattern.id);
    const bool literal = pattern.kind == Pattern::Kind::kLiteral;
    const RegexOptions& regex = pattern.regex;
    const unsigned flags = literal
                               ? (pattern.literal.nocase ? 2u : 0u)
                               : (1u | (regex.nocase ? 2u : 0u) | (regex.dot_all ? 4u : 0u) |
                                  (regex.multi_line ? 8u : 0u) | (regex.utf8 ? 16u : 0u) |
                                  (regex.prefilter ? 32u : 0u) | (regex.allow_empty ? 64u : 0u));
    put_u32(out, flags);
    put_u32(out, literal ? pattern.literal.offset : 0);
    put_u32(out, literal ? pattern.literal.depth : kNoLimit);
    out += pattern.text;
  }
  return out;
}

}  // namespace vong::matcher
