#include "sensor/detect/tenants.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <thread>

#include "fmt/format.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/rule_set_impl.h"

namespace vong::detect {
namespace {

constexpr int64_t kVlanMax = 4094;   // IEEE 802.1Q: 0 and 4095 are no VLANs

// All that a compiled set depends on.
std::string key_of(const TenantPlan::One& one) {
  const LoadOptions& o = one.load;
  std::string key;
  const auto add = [&](std::string_view text) { key.append(text).push_back('\0'); };
  for (const auto& file : o.files) add(file);
  for (const auto& text : {o.classification_file, o.reference_file, o.threshold_file, o.extra_rules, o.data_dir}) add(text);
  const auto& all = one.settings.all();
  for (auto it = all.lower_bound("vars."); it != all.end() && it->first.starts_with("vars."); ++it) {
    add(it->first);
    add(it->second);
  }
  return key;
}

struct Loaded {
  std::shared_ptr<const RuleSet> rules;
  LoadReport report;
  std::string error;
};

void load_one(const TenantPlan::One& one, const Tenants* previous, Loaded& out) {
  LoadOptions options = one.load;
  if (previous != nullptr) {
    if (const auto at = previous->find(one.id)) options.previous = previous->all[*at].rules;
  }
  auto rules = RuleSet::load(options, one.settings, out.report);
  if (rules) out.rules = std::move(*rules);
  else out.error = fmt::format("tenant {}: {}", one.id, rules.error().message);
}

// Those of `which`, by several threads.
void load_several(const TenantPlan& plan, const Tenants* previous, const std::vector<size_t>& which, std::vector<Loaded>& loaded) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next.fetch_add(1); i < which.size(); i = next.fetch_add(1)) load_one(plan.tenants[which[i]], previous, loaded[which[i]]);
  };
  std::vector<std::thread> threads;
  const auto wanted = std::min(which.size(), static_cast<size_t>(std::clamp(plan.loaders, 1, kMaxTenantLoaders)));
  for (size_t i = 1; i < wanted; ++i) threads.emplace_back(work);
  work();
  for (std::thread& t : threads) t.join();
}

void add_counts(RuleCounts& to, const RuleCounts& from) {
  for (const auto field : {&RuleCounts::loaded, &RuleCounts::failed, &RuleCounts::skipped, &RuleCounts::ip_only, &RuleCounts::packet, &RuleCounts::stream,
                           &RuleCounts::transaction, &RuleCounts::events_only})
    to.*field += from.*field;
}

}  // namespace

Result<> TenantMap::add_vlan(int64_t vlan, TenantId tenant) {
  if (vlan < 1 || vlan > kVlanMax) return fail(fmt::format("vlan-id {} is not between 1 and {}", vlan, kVlanMax));
  by_vlan_.resize(kVlans, kNoTenant);
  TenantId& at = by_vlan_[static_cast<size_t>(vlan)];
  if (at != kNoTenant && at != tenant) return fail(fmt::format("vlan-id {} is mapped to tenant {} and to tenant {}", vlan, at, tenant));
  at = tenant;
  return {};
}

Result<> TenantMap::add_vlan_tuple(const std::vector<int64_t>& vlans, TenantId tenant) {
  if (vlans.empty() || vlans.size() > kMaxVlanTags) return fail(fmt::format("vlan-tuple has {} ids, not one to {}", vlans.size(), kMaxVlanTags));
  if (by_tuple_.size() >= kMaxTenantTuples) return fail(fmt::format("more than {} vlan-tuples", kMaxTenantTuples));
  Tuple tuple{{}, static_cast<uint8_t>(vlans.size()), tenant};
  for (size_t i = 0; i < vlans.size(); ++i) {
    if (vlans[i] < 0 || vlans[i] > kVlanMax) return fail(fmt::format("vlan-tuple: {} is not between 0 (any) and {}", vlans[i], kVlanMax));
    tuple.vlan[i] = static_cast<uint16_t>(vlans[i]);
  }
  by_tuple_.push_back(tuple);
  return {};
}

Result<> TenantMap::add_device(uint16_t interface, TenantId tenant) {
  if (by_device_.size() <= interface) by_device_.resize(interface + size_t{1}, kNoTenant);
  TenantId& at = by_device_[interface];
  if (at != kNoTenant && at != tenant) return fail(fmt::format("a device is mapped to tenant {} and to tenant {}", at, tenant));
  at = tenant;
  return {};
}

TenantId TenantMap::of_tags(const std::array<uint16_t, kMaxVlanTags>& vlans, size_t count) const {
  if (count == 0) return kNoTenant;
  if (selector_ == Selector::kVlan) return by_vlan_.empty() ? kNoTenant : by_vlan_[vlans[0] & 0x0fff];
  for (const Tuple& t : by_tuple_) {
    if (t.count != count) continue;
    bool fits = true;
    for (size_t i = 0; i < count; ++i) fits = fits && (t.vlan[i] == 0 || t.vlan[i] == (vlans[i] & 0x0fff));
    if (fits) return t.tenant;
  }
  return kNoTenant;
}

TenantId TenantMap::of(const Packet& p) const {
  if (selector_ == Selector::kDevice) {
    const uint16_t interface = p.flow != nullptr ? p.flow->interface : p.interface;
    return interface < by_device_.size() ? by_device_[interface] : kNoTenant;
  }
  if (p.flow == nullptr) return of_tags(p.vlan_tci, p.vlan_count);
  const auto& vlans = p.flow->key.vlan_id;
  size_t count = vlans.size();
  while (count > 0 && vlans[count - 1] == 0) --count;
  return of_tags(vlans, count);
}

std::optional<size_t> Tenants::find(TenantId id) const {
  const auto it = std::lower_bound(all.begin(), all.end(), id, [](const One& one, TenantId wanted) { return one.id < wanted; });
  if (it == all.end() || it->id != id) return std::nullopt;
  return static_cast<size_t>(it - all.begin());
}

Result<std::shared_ptr<const Tenants>> load_tenants(const TenantPlan& plan, const Tenants* previous, LoadReport& report) {
  std::vector<Loaded> loaded(plan.tenants.size());
  std::map<std::string, size_t> first_of;   // by what is loaded
  std::vector<size_t> like(plan.tenants.size()), firsts, others;
  for (size_t i = 0; i < plan.tenants.size(); ++i) {
    like[i] = first_of.emplace(key_of(plan.tenants[i]), i).first->second;
    if (like[i] == i) firsts.push_back(i);
  }
  load_several(plan, previous, firsts, loaded);
  for (size_t i = 0; i < plan.tenants.size(); ++i) {
    if (like[i] == i) continue;
    const Loaded& same = loaded[like[i]];
    if (same.rules == nullptr) continue;   // its error is told below
    if (same.rules->impl().datasets != nullptr) {
      others.push_back(i);   // data sets are a tenant's own
      continue;
    }
    loaded[i].rules = same.rules;
    loaded[i].report.counts = same.report.counts;
  }
  load_several(plan, previous, others, loaded);
  auto tenants = std::make_shared<Tenants>();
  tenants->map = plan.map;
  for (size_t i = 0; i < loaded.size(); ++i) {
    Loaded& l = loaded[i];
    report.diagnostics.insert(report.diagnostics.end(), l.report.diagnostics.begin(), l.report.diagnostics.end());
    add_counts(report.counts, l.report.counts);
    report.tenants.emplace_back(plan.tenants[i].id, l.report.counts);
    report.patterns += l.report.patterns;
    report.pattern_sets += l.report.pattern_sets;
    report.sets_from_cache += l.report.sets_from_cache;
    if (!l.error.empty()) return fail(std::move(l.error));
    if (l.rules != nullptr) tenants->all.push_back({plan.tenants[i].id, std::move(l.rules)});
  }
  return std::shared_ptr<const Tenants>(std::move(tenants));
}

}  // namespace vong::detect
