// Inside of SharedState: tables keyed by hosts and by rules, used by all workers, each under its mutex. Bounded by limits.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ip_address.h"
#include "sensor/detect/dataset.h"
#include "sensor/detect/detector.h"
#include "sensor/detect/flow_state.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/reputation.h"

namespace vong::detect {

// Bits of a host, or of a pair of hosts (in either order), with an expiry each.
class HostBits {
 public:
  struct Key {
    IpAddress a, b;            // b: none for one host
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) { return H::combine(std::move(h), k.a, k.b); }
  };
  [[nodiscard]] static Key host(const IpAddress& a) { return {a, {}}; }
  [[nodiscard]] static Key pair(const IpAddress& a, const IpAddress& b) { return a < b ? Key{a, b} : Key{b, a}; }

  [[nodiscard]] bool is_set(const Key& key, NameId bit, int64_t now_ns);
  // False when the table is full.
  void set_max(size_t entries) { max_ = entries; }
  bool set(const Key& key, NameId bit, int64_t until_ns, int64_t now_ns);
  void unset(const Key& key, NameId bit);
  // visit(name, until_ns) for each of its bits.
  template <typename Visit>
  void each(const Key& key, Visit visit) {
    const std::lock_guard lock(mutex_);
    const auto it = bits_.find(key);
    if (it == bits_.end()) return;
    for (const Bit& b : it->second) visit(b.name, b.until_ns);
  }
  // True when it is set afterwards.
  bool toggle(const Key& key, NameId bit, int64_t until_ns, int64_t now_ns);

 private:
  struct Bit {
    NameId name;
    int64_t until_ns;
  };
  void sweep(int64_t now_ns);
  std::mutex mutex_;
  absl::flat_hash_map<Key, std::vector<Bit>> bits_;
  int64_t last_sweep_ns_ = 0;
  size_t max_ = kMaxHostEntries;
};

struct ThresholdKey {
  uint64_t rule = 0;           // gid << 32 | sid
  uint32_t kind = 0;           // which of the rule's thresholds
  IpAddress a, b;
  friend bool operator==(const ThresholdKey&, const ThresholdKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ThresholdKey& k) { return H::combine(std::move(h), k.rule, k.kind, k.a, k.b); }
};
struct ThresholdEntry {
  int64_t start_ns = 0, until_ns = 0, keep_until_ns = 0;
  uint32_t count = 0, next = 0;
  std::unique_ptr<std::vector<uint16_t>> seen;   // unique_on: the ports of this window, sorted
};

class ThresholdTable {
 public:
  std::mutex mutex;
  // Null when full (the caller counts it and lets the alert through).
  [[nodiscard]] ThresholdEntry* entry(const ThresholdKey& key, int64_t now_ns, bool& fresh);
  void set_max(size_t entries) { max_ = entries; }

 private:
  absl::flat_hash_map<ThresholdKey, ThresholdEntry> entries_;
  int64_t last_sweep_ns_ = 0;
  size_t max_ = kMaxThresholdEntries;
};

struct SharedState::Impl {
  HostBits bits;
  ThresholdTable thresholds;
  std::shared_ptr<const Reputation> reputation;   // the tenants' too
  // Data sets of the rule sets that ran, for saving at the end.
  std::mutex stores_mutex;
  std::vector<std::shared_ptr<DatasetStore>> stores;
  absl::flat_hash_map<IpAddress, std::vector<FlowExtra::Tag>> tagged_hosts;
  std::atomic<bool> any_tagged_host = false;   // without the mutex: nothing to look for
  std::mutex tags_mutex;
  size_t tagged_hosts_max = kMaxTaggedHosts;
  // Of the tenants that have had traffic.
  std::mutex tenants_mutex;
  std::map<uint32_t, std::unique_ptr<SharedState>> tenants;
};

}  // namespace vong::detect
