// Patterns that can only stand at the very beginning of what is looked at: found by their first bytes, not searched for. Made once, then
// immutable.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/bytes.h"
#include "base/equal_at.h"
#include "base/strings.h"

namespace vong::detect {

class PrefixTable {
 public:
  // `pattern`: not empty, lower case when `nocase`; must outlive the table.
  void add(Bytes pattern, bool nocase, uint32_t rule) { entries_.push_back({key_of(pattern), pattern, nocase, rule}); }
  // After the last add, before the first find.
  void finish();

  [[nodiscard]] bool empty() const { return entries_.empty(); }

  // Calls on_rule(uint32_t) for the rule of each pattern that `data` begins with.
  template <typename OnRule>
  void find(Bytes data, OnRule&& on_rule) const {
    if (data.empty()) return;
    if (single_) look(key_of(data.first(1)), data, on_rule);
    if (data.size() > 1) look(key_of(data), data, on_rule);
  }

 private:
  struct Entry {
    uint32_t key;
    Bytes pattern;
    bool nocase;
    uint32_t rule;
  };

  // The first two bytes, or the only one, letters lower.
  static uint32_t key_of(Bytes b) {
    const uint32_t first = ascii_lower(b[0]);
    return b.size() == 1 ? first : uint32_t{0x10000} | first << 8 | ascii_lower(b[1]);
  }
  static bool begins(Bytes data, const Entry& e) {
    return data.size() >= e.pattern.size() && equal_at(data.data(), e.pattern.data(), e.pattern.size(), e.nocase);
  }
  template <typename OnRule>
  void look(uint32_t key, Bytes data, OnRule& on_rule) const {
    const auto it = ranges_.find(key);
    if (it == ranges_.end()) return;
    for (uint32_t i = it->second.first; i < it->second.second; ++i) {
      if (begins(data, entries_[i])) on_rule(entries_[i].rule);
    }
  }

  std::vector<Entry> entries_;                                            // by key
  absl::flat_hash_map<uint32_t, std::pair<uint32_t, uint32_t>> ranges_;   // key -> its entries
  bool single_ = false;                                                   // some pattern is one byte long
};

}  // namespace vong::detect
