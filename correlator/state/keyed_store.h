// State per key, bounded and expiring in event time. Calls come in order of event time, so the list
// of keys by last touch is also the list by expiry: both expiry and eviction look at its head only.
//
// Expired state is gone for the caller at once (touch gives a fresh one); its memory goes with the
// next calls, two keys each. When the cap is reached the key that was quiet longest goes, and
// evictions() counts it. Single thread. A state lives until the next call of touch.
#pragma once

#include <cassert>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace vong::state {

template <typename State>
class KeyedStore {
 public:
  // A key without a touch for `ttl_ns` of event time has no effect any more.
  KeyedStore(size_t keys_max, int64_t ttl_ns) : keys_max_(keys_max), ttl_ns_(ttl_ns) {
    assert(keys_max > 0);
  }

  // The state of `key`, made when it is new or expired. `keep_until_ns`: do not expire before (a
  // silence, say).
  State& touch(std::string_view key, int64_t now_ns) {
    expire_two(now_ns);
    const auto it = index_.find(key);
    uint32_t slot;
    if (it != index_.end()) {
      slot = it->second;
      unlink(slot);
      if (expired(nodes_[slot], now_ns)) nodes_[slot].state = State();
    } else {
      if (index_.size() >= keys_max_) {
        drop(head_);
        ++evictions_;
      }
      slot = allocate();
      nodes_[slot].key.assign(key);
      index_.emplace(std::string_view(nodes_[slot].key), slot);
    }
    nodes_[slot].touched_ns = now_ns;
    link_last(slot);
    return nodes_[slot].state;
  }

  [[nodiscard]] State* find(std::string_view key, int64_t now_ns) {
    const auto it = index_.find(key);
    return it == index_.end() || expired(nodes_[it->second], now_ns) ? nullptr
                                                                     : &nodes_[it->second].state;
  }

  void erase(std::string_view key) {
    if (const auto it = index_.find(key); it != index_.end()) drop(it->second);
  }

  // Calls f(key, touched_ns, state) for every key that has not expired, longest quiet first.
  template <typename F>
  void for_each(int64_t now_ns, F&& f) const {
    for (uint32_t slot = head_; slot != kNone; slot = nodes_[slot].next) {
      if (!expired(nodes_[slot], now_ns))
        f(std::string_view(nodes_[slot].key), nodes_[slot].touched_ns, nodes_[slot].state);
    }
  }

  [[nodiscard]] size_t size() const { return index_.size(); }
  [[nodiscard]] uint64_t evictions() const { return evictions_; }

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  struct Node {
    std::string key;
    int64_t touched_ns = 0;
    uint32_t previous = kNone, next = kNone;
    State state;
  };

  [[nodiscard]] bool expired(const Node& n, int64_t now_ns) const {
    return now_ns - n.touched_ns >= ttl_ns_;
  }

  void expire_two(int64_t now_ns) {
    for (int i = 0; i < 2 && head_ != kNone && expired(nodes_[head_], now_ns); ++i) drop(head_);
  }
  uint32_t allocate() {
    if (free_.empty()) {
      nodes_.emplace_back();
      return static_cast<uint32_t>(nodes_.size() - 1);
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void drop(uint32_t slot) {
    unlink(slot);
    index_.erase(std::string_view(nodes_[slot].key));
    nodes_[slot].key = std::string();
    nodes_[slot].state = State();
    free_.push_back(slot);
  }
  void unlink(uint32_t slot) {
    Node& n = nodes_[slot];
    (n.previous == kNone ? head_ : nodes_[n.previous].next) = n.next;
    (n.next == kNone ? tail_ : nodes_[n.next].previous) = n.previous;
  }
  void link_last(uint32_t slot) {
    Node& n = nodes_[slot];
    n.previous = tail_;
    n.next = kNone;
    (tail_ == kNone ? head_ : nodes_[tail_].next) = slot;
    tail_ = slot;
  }

  size_t keys_max_;
  int64_t ttl_ns_;
  std::deque<Node> nodes_;  // a deque: the map's views into the keys stay valid
  std::vector<uint32_t> free_;
  absl::flat_hash_map<std::string_view, uint32_t> index_;
  uint32_t head_ = kNone, tail_ = kNone;
  uint64_t evictions_ = 0;
};

}  // namespace vong::state
