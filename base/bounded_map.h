// A map that never grows over its cap: the entry that was put in longest ago goes. What sessions
// remember between messages stands in these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace vong {

template <typename K, typename V>
class BoundedMap {
 public:
  explicit BoundedMap(size_t cap) : cap_(cap) {}

  // What it had to drop for it; what stood under the same key is replaced and not told.
  std::optional<V> put(const K& key, V value) {
    if (cap_ == 0) return std::nullopt;
    const uint64_t serial = ++serial_;
    map_[key] = Entry{std::move(value), serial};
    order_.emplace_back(key, serial);
    std::optional<V> dropped;
    if (map_.size() > cap_) dropped = drop_oldest();
    // Entries of the order that are gone from the map, or were put in anew, are dropped in time.
    if (order_.size() > 2 * cap_ + 16) compact();
    return dropped;
  }
  [[nodiscard]] V* find(const K& key) {
    const auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second.value;
  }
  [[nodiscard]] std::optional<V> take(const K& key) {
    const auto it = map_.find(key);
    if (it == map_.end()) return std::nullopt;
    std::optional<V> out(std::move(it->second.value));
    map_.erase(it);
    return out;
  }
  void erase(const K& key) { map_.erase(key); }
  [[nodiscard]] size_t size() const { return map_.size(); }

 private:
  struct Entry {
    V value;
    uint64_t serial = 0;
  };
  bool current(const std::pair<K, uint64_t>& o) const {
    const auto it = map_.find(o.first);
    return it != map_.end() && it->second.serial == o.second;
  }
  std::optional<V> drop_oldest() {
    while (!order_.empty()) {
      const auto oldest = std::move(order_.front());
      order_.pop_front();
      if (current(oldest)) return take(oldest.first);
    }
    return std::nullopt;
  }
  void compact() {
    std::erase_if(order_, [&](const auto& o) { return !current(o); });
  }

  size_t cap_;
  absl::flat_hash_map<K, Entry> map_;
  std::deque<std::pair<K, uint64_t>> order_;
  uint64_t serial_ = 0;
};

}  // namespace vong
