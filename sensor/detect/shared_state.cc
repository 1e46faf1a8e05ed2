#include "sensor/detect/shared_state.h"

#include <algorithm>

#include "sensor/detect/limits.h"

namespace vong::detect {
namespace {
constexpr int64_t kSweepEveryNs = 1'000'000'000;
constexpr size_t kSmallTable = 4096;

// The table is at its cap, or would soon grow: first what is over makes room. Without this a flood from ever new addresses would
// fill every table to its cap, though next to nothing in it still counts.
template <typename Table>
bool is_nearly_full(const Table& table, size_t max) {
  return table.size() >= max || (table.size() >= kSmallTable && table.size() >= table.capacity() / 4 * 3);
}
}  // namespace

void HostBits::sweep(int64_t now_ns) {
  if (now_ns - last_sweep_ns_ < kSweepEveryNs) return;   // a full table is not searched for every packet
  last_sweep_ns_ = now_ns;
  absl::erase_if(bits_, [&](auto& e) {
    std::erase_if(e.second, [&](const Bit& b) { return b.until_ns <= now_ns; });
    return e.second.empty();
  });
}

bool HostBits::is_set(const Key& key, NameId bit, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  const auto it = bits_.find(key);
  if (it == bits_.end()) return false;
  return std::any_of(it->second.begin(), it->second.end(), [&](const Bit& b) { return b.name == bit && b.until_ns >= now_ns; });
}

bool HostBits::set(const Key& key, NameId bit, int64_t until_ns, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  if (is_nearly_full(bits_, max_) && !bits_.contains(key)) {
    sweep(now_ns);
    if (bits_.size() >= max_) return false;
  }
  auto& list = bits_[key];
  for (Bit& b : list) {
    if (b.name == bit) {
      b.until_ns = until_ns;
      return true;
    }
  }
  if (list.size() >= kMaxFlowbitsPerFlow) return false;
  list.push_back({bit, until_ns});
  return true;
}

void HostBits::unset(const Key& key, NameId bit) {
  std::lock_guard lock(mutex_);
  const auto it = bits_.find(key);
  if (it == bits_.end()) return;
  std::erase_if(it->second, [&](const Bit& b) { return b.name == bit; });
  if (it->second.empty()) bits_.erase(it);
}

bool HostBits::toggle(const Key& key, NameId bit, int64_t until_ns, int64_t now_ns) {
  if (is_set(key, bit, now_ns)) {
    unset(key, bit);
    return false;
  }
  return set(key, bit, until_ns, now_ns);
}

ThresholdEntry* ThresholdTable::entry(const ThresholdKey& key, int64_t now_ns, bool& fresh) {
  const auto it = entries_.find(key);
  if (it != entries_.end()) {
    fresh = false;
    return &it->second;
  }
  if (is_nearly_full(entries_, max_)) {
    if (now_ns - last_sweep_ns_ >= kSweepEveryNs) {
      last_sweep_ns_ = now_ns;
      absl::erase_if(entries_, [&](const auto& e) { return e.second.keep_until_ns < now_ns; });
    }
    if (entries_.size() >= max_) return nullptr;
  }
  fresh = true;
  return &entries_[key];
}

SharedState::SharedState(const Settings& settings) : impl_(std::make_unique<Impl>()) {
  auto reputation = std::make_shared<Reputation>();
  reputation->configure(settings);
  impl_->reputation = std::move(reputation);
}
SharedState::SharedState(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SharedState::~SharedState() = default;

SharedState& SharedState::of_tenant(uint32_t tenant, size_t tenants) {
  const std::lock_guard lock(impl_->tenants_mutex);
  auto& state = impl_->tenants[tenant];
  if (state == nullptr) {
    const auto share = [&](size_t max) { return std::max(max / std::max<size_t>(tenants, 1), kMinEntriesPerTenant); };
    auto inside = std::make_unique<Impl>();
    inside->reputation = impl_->reputation;
    inside->bits.set_max(share(kMaxHostEntries));
    inside->thresholds.set_max(share(kMaxThresholdEntries));
    inside->tagged_hosts_max = share(kMaxTaggedHosts);
    state.reset(new SharedState(std::move(inside)));
  }
  return *state;
}

Result<> SharedState::save() {
  {
    std::lock_guard lock(impl_->stores_mutex);
    for (const auto& store : impl_->stores) {
      if (auto saved = store->save(); !saved) return saved;
    }
  }
  const std::lock_guard lock(impl_->tenants_mutex);
  for (const auto& [id, state] : impl_->tenants) {
    if (auto saved = state->save(); !saved) return saved;
  }
  return {};
}

}  // namespace vong::detect
