#include "correlator/match/field_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "correlator/match/limits.h"
#include "rules/matcher/pattern_set.h"

namespace vong::match {
namespace {

using sigma::Test;
using sigma::TestOp;

// The cheapest Hyperscan pattern that says the same as the test.
void add_pattern(const Test& test, uint32_t id, matcher::PatternSet& set) {
  if (test.op == TestOp::kRegex) {
    matcher::RegexOptions options;
    options.nocase = test.ignore_case;
    options.dot_all = test.dot_all;
    options.multi_line = test.multiline;
    options.allow_empty = true;
    set.add_regex(id, test.regex, options);
    return;
  }
  const auto& units = test.pattern.units();
  const bool open_start = !units.empty() && units.front() == sigma::Pattern::kAny;
  const bool open_end = !units.empty() && units.back() == sigma::Pattern::kAny;
  std::string bytes;
  bool literal = units.size() > static_cast<size_t>(open_start + open_end);
  for (size_t i = open_start ? 1 : 0; i + (open_end ? 1 : 0) < units.size(); ++i) {
    literal &= units[i] < sigma::Pattern::kAny;
    bytes.push_back(static_cast<char>(units[i]));
  }
  if (literal && open_end) {
    matcher::LiteralOptions options;
    options.nocase = !test.cased;
    if (!open_start) options.depth = static_cast<uint32_t>(bytes.size());
    set.add_literal(id, bytes, options);
    return;
  }
  matcher::RegexOptions options;
  options.nocase = !test.cased;
  options.dot_all = true;
  options.allow_empty = true;
  set.add_regex(id, test.pattern.regex(), options);
}

}  // namespace

bool FieldIndex::add(const Test& test, Atom atom) {
  switch (test.op) {
    case TestOp::kEquals: {
      const std::string value = test.pattern.text();
      auto& map = test.cased ? exact_cased_ : exact_;
      auto& longest = test.cased ? exact_cased_bytes_max_ : exact_bytes_max_;
      longest = std::max(longest, value.size());
      map[test.cased ? value : to_lower(value)].push_back(atom);
      return true;
    }
    case TestOp::kLike:
    case TestOp::kRegex:
      text_tests_.push_back({test, atom});
      return true;
    case TestOp::kCidr:
      network_list_.emplace_back(test.prefix, atom);
      return true;
    case TestOp::kRange:
      ranges_.push_back({test.low, test.high, atom});
      return true;
    case TestOp::kExists:
      if (std::find(present_.begin(), present_.end(), atom) == present_.end())
        present_.push_back(atom);
      return true;
    case TestOp::kList:
      if (lists_.size() <= test.list) lists_.resize(test.list + 1u);
      lists_[test.list].push_back(atom);
      return true;
    case TestOp::kNull:
    case TestOp::kFieldRef:
    case TestOp::kTimePart:
      return false;
  }
  return false;
}

std::vector<FieldIndex::Refused> FieldIndex::compile() {
  build_segments();
  std::stable_sort(network_list_.begin(), network_list_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.length, a.first.address) < std::pair(b.first.length, b.first.address);
  });
  for (size_t i = 0; i < network_list_.size();) {
    std::vector<Atom> atoms;
    size_t k = i;
    for (; k < network_list_.size() && network_list_[k].first == network_list_[i].first; ++k)
      atoms.push_back(network_list_[k].second);
    networks_.insert(network_list_[i].first, std::move(atoms));
    i = k;
  }
  network_list_.clear();

  std::vector<Refused> refused;
  std::vector<TextTest> tests = std::move(text_tests_);
  while (!tests.empty()) {
    matcher::PatternSet set;
    for (const TextTest& t : tests) add_pattern(t.test, t.atom, set);
    auto compiled = matcher::Matcher::compile(set);
    if (compiled) {
      patterns_ = std::move(*compiled);
      break;
    }
    const size_t bad = compiled.error().pattern_index;
    if (bad >= tests.size()) {  // the set as a whole: nothing more can be said about one of them
      for (const TextTest& t : tests)
        refused.push_back({t.atom, t.test.pos, compiled.error().message});
      break;
    }
    refused.push_back({tests[bad].atom, tests[bad].test.pos, compiled.error().message});
    tests.erase(tests.begin() + static_cast<long>(bad));
  }
  return refused;
}

bool FieldIndex::prepare(Scratch& scratch) const {
  return !patterns_ || scratch.hyperscan.prepare(*patterns_);
}

// Cuts the number line at every bound; each piece knows the atoms that hold in it, so a number
// costs one binary search.
void FieldIndex::build_segments() {
  for (const Range& r : ranges_) {
    if (r.low > r.high) continue;
    bounds_.push_back(r.low);
    if (r.high < std::numeric_limits<double>::infinity()) {
      bounds_.push_back(std::nextafter(r.high, std::numeric_limits<double>::infinity()));
    }
  }
  std::sort(bounds_.begin(), bounds_.end());
  bounds_.erase(std::unique(bounds_.begin(), bounds_.end()), bounds_.end());
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.low < b.low; });
  std::vector<Range> open;
  size_t next = 0;
  for (const double bound : bounds_) {
    while (next < ranges_.size() && ranges_[next].low <= bound) open.push_back(ranges_[next++]);
    std::erase_if(open, [&](const Range& r) { return r.high < bound; });
    if (segment_atoms_.size() + open.size() > kRangeListMax) {
      loose_ranges_ = std::move(ranges_);
      bounds_.clear();
      segments_.clear();
      segment_atoms_.clear();
      return;
    }
    const auto begin = static_cast<uint32_t>(segment_atoms_.size());
    for (const Range& r : open) segment_atoms_.push_back(r.atom);
    segments_.emplace_back(begin, static_cast<uint32_t>(segment_atoms_.size()));
  }
  ranges_.clear();
}

}  // namespace vong::match
