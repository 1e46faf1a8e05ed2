// What an index of literals finds, and what the slow twin says it must find.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "rules/matcher/literal_marks.h"
#include "rules/matcher/naive_matcher.h"

namespace vong::matcher {

template <typename Index>
std::set<uint32_t> found(const Index& index, LiteralMarks& marks, Bytes data) {
  std::set<uint32_t> ids;
  index.scan(data, marks,
             [&](uint32_t id) { EXPECT_TRUE(ids.insert(id).second) << "told twice: " << id; });
  return ids;
}

inline std::set<uint32_t> expected(const PatternSet& set, Bytes data) {
  std::set<uint32_t> ids;
  for (const Match& m : naive_scan(set, data)) ids.insert(m.id);
  return ids;
}

}  // namespace vong::matcher
