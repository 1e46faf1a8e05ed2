#include "rules/matcher/naive_matcher.h"

#include <algorithm>

namespace vong::matcher {
namespace {

uint8_t fold(uint8_t c, bool nocase) {
  return nocase && c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c + 32) : c;
}

bool matches_at(const Pattern& pattern, Bytes data, size_t at) {
  const Bytes text = as_bytes(pattern.text);
  const LiteralOptions& options = pattern.literal;
  if (text.empty() || at + text.size() > data.size() || at < options.offset) return false;
  const size_t end = at + text.size();
  if (options.depth != kNoLimit && end > size_t{options.offset} + options.depth) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (fold(text[i], options.nocase) != fold(data[at + i], options.nocase)) return false;
  }
  return true;
}

}  // namespace

std::vector<Match> naive_scan(const PatternSet& set, Bytes data) {
  std::vector<Match> result;
  for (const Pattern& pattern : set.patterns()) {
    if (pattern.kind != Pattern::Kind::kLiteral) continue;
    for (size_t at = 0; at < data.size(); ++at) {
      if (matches_at(pattern, data, at)) result.push_back({pattern.id, at + pattern.text.size()});
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace vong::matcher
