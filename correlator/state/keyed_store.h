// State per key, bounded and expiring in event time. Calls come in order of event time, so the list
// of keys by last touch is also the list by expiry: both expiry and eviction look at its head only.
//
// Keys are not kept, only their fingerprints: a key costs its state and 48 bytes, however long it
// is. Expired state is gone for the caller at once (touch gives a fresh one); its memory goes with
// the next calls, two keys each. When the cap is reached the key that was quiet longest goes, and
// evictions() counts it. Single thread. A state lives until the next call of touch or erase.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "correlator/state/fingerprint.h"

namespace vong::state {

template <typename State>
class KeyedStore {
 public:
  // A key without a touch for `ttl_ns` of event time has no effect any more.
  KeyedStore(size_t keys_max, int64_t ttl_ns) : keys_max_(keys_max), ttl_ns_(ttl_ns) {
    assert(keys_max > 0);
  }

  // The state of `key`, made when it is new or expired.
  State& touch(std::string_view key, int64_t now_ns) { return touch(fingerprint_of(key), now_ns); }
  State& touch(const Fingerprint& print, int64_t now_ns) {
    expire_two(now_ns);
    const auto it = index_.find(print);
    uint32_t slot;
    if (it != index_.end()) {
      slot = it->second;
      if (expired(node(slot), now_ns)) node(slot).state = State();
      unlink(slot);
    } else {
      if (index_.size() >= keys_max_) {
        drop(head_);
        ++evictions_;
      }
      slot = allocate();
      node(slot).print = print;
      index_.emplace(print, slot);
    }
    node(slot).touched_ns = now_ns;
    link_last(slot);
    return node(slot).state;
  }

  [[nodiscard]] State* find(std::string_view key, int64_t now_ns) {
    const auto it = index_.find(fingerprint_of(key));
    return it == index_.end() || expired(node(it->second), now_ns) ? nullptr
                                                                   : &node(it->second).state;
  }

  void erase(std::string_view key) { erase(fingerprint_of(key)); }
  void erase(const Fingerprint& print) {
    if (const auto it = index_.find(print); it != index_.end()) drop(it->second);
  }

  // Asks the memory for what touch() of this key will need, without waiting for it. Each stage needs
  // what the one before has brought: 0 the index, 1 the state, 2 what the state points at and the
  // neighbours in the list. Called for some keys ahead, stage by stage, it hides most of the way to
  // memory.
  static constexpr int kWarmStages = 3;
  void warm(const Fingerprint& print, int stage) {
    if (stage == 0) return index_.prefetch(print);
    const auto it = index_.find(print);
    if (it == index_.end()) return;
    Node& n = node(it->second);
    if (stage == 1) {
      for (size_t at = 0; at < sizeof n && at < 256; at += 64)
        __builtin_prefetch(reinterpret_cast<const char*>(&n) + at, 1);
      return;
    }
    if (n.previous != kNone) __builtin_prefetch(&node(n.previous).next, 1);
    if (n.next != kNone) __builtin_prefetch(&node(n.next).previous, 1);
    if constexpr (requires { n.state.warm(); }) n.state.warm();
  }

  [[nodiscard]] size_t size() const { return index_.size(); }
  [[nodiscard]] uint64_t evictions() const { return evictions_; }

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  static constexpr uint32_t kBlockBits = 10;  // nodes come in blocks and never move
  struct Node {
    Fingerprint print;
    int64_t touched_ns = 0;
    uint32_t previous = kNone, next = kNone;
    State state;
  };

  [[nodiscard]] Node& node(uint32_t slot) {
    return blocks_[slot >> kBlockBits][slot & ((1u << kBlockBits) - 1)];
  }
  [[nodiscard]] bool expired(const Node& n, int64_t now_ns) const {
    return now_ns - n.touched_ns >= ttl_ns_;
  }

  void expire_two(int64_t now_ns) {
    for (int i = 0; i < 2 && head_ != kNone && expired(node(head_), now_ns); ++i) drop(head_);
  }
  uint32_t allocate() {
    if (free_.empty()) {
      if (used_ >> kBlockBits == blocks_.size()) {
        blocks_.push_back(std::make_unique<Node[]>(size_t{1} << kBlockBits));
      }
      return used_++;
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void drop(uint32_t slot) {
    unlink(slot);
    index_.erase(node(slot).print);
    node(slot).state = State();
    free_.push_back(slot);
  }
  void unlink(uint32_t slot) {
    Node& n = node(slot);
    (n.previous == kNone ? head_ : node(n.previous).next) = n.next;
    (n.next == kNone ? tail_ : node(n.next).previous) = n.previous;
  }
  void link_last(uint32_t slot) {
    Node& n = node(slot);
    n.previous = tail_;
    n.next = kNone;
    (tail_ == kNone ? head_ : node(tail_).next) = slot;
    tail_ = slot;
  }

  size_t keys_max_;
  int64_t ttl_ns_;
  std::vector<std::unique_ptr<Node[]>> blocks_;
  uint32_t used_ = 0;
  std::vector<uint32_t> free_;
  absl::flat_hash_map<Fingerprint, uint32_t> index_;
  uint32_t head_ = kNone, tail_ = kNone;
  uint64_t evictions_ = 0;
};

}  // namespace vong::state
