// Tenants (multi-detect): several rule sets at once, each with variables and thresholds of its own, and a map that says whose rules look
// at a packet. A RuleSet carries the sets of its tenants with it, so that a reload swaps all of them at one packet boundary.
//
// What is kept by tenant: rules, thresholds, bits and tags of hosts, data sets. Flows belong to one tenant by their VLAN or interface.
// Immutable once loaded, shared by all workers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "sensor/detect/rule_set.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

namespace vong::detect {

using TenantId = uint32_t;
inline constexpr TenantId kNoTenant = 0;   // traffic that is mapped to nobody

// From a packet to its tenant.
class TenantMap {
 public:
  // Direct: the whole input belongs to one tenant, that Detector::set_tenant() names.
  enum class Selector : uint8_t { kDirect, kVlan, kVlanTuple, kDevice };

  explicit TenantMap(Selector selector = Selector::kDirect) : selector_(selector) {}

  // An error line when the mapping cannot be: a VLAN out of range, or mapped to two tenants.
  [[nodiscard]] Result<> add_vlan(int64_t vlan, TenantId tenant);
  // Outermost first, one to three; 0 stands for any. Matches packets with as many tags; of several that match the first added counts.
  [[nodiscard]] Result<> add_vlan_tuple(const std::vector<int64_t>& vlans, TenantId tenant);
  [[nodiscard]] Result<> add_device(uint16_t interface, TenantId tenant);

  [[nodiscard]] Selector selector() const { return selector_; }
  // By the flow where there is one, so that all of a flow's packets have one tenant.
  [[nodiscard]] TenantId of(const Packet& p) const;

 private:
  static constexpr size_t kVlans = 4096;
  struct Tuple {
    std::array<uint16_t, kMaxVlanTags> vlan;
    uint8_t count;
    TenantId tenant;
  };
  [[nodiscard]] TenantId of_tags(const std::array<uint16_t, kMaxVlanTags>& vlans, size_t count) const;

  Selector selector_;
  std::vector<TenantId> by_vlan_;     // empty or kVlans
  std::vector<Tuple> by_tuple_;
  std::vector<TenantId> by_device_;   // by Packet::interface
};

// What a load is to load besides the master's rules.
struct TenantPlan {
  struct One {
    TenantId id = kNoTenant;
    LoadOptions load;     // `previous` is not looked at: it comes from the master's
    Settings settings;    // the master's with the tenant's variables
  };
  std::vector<One> tenants;   // ids rising; at most kMaxTenants
  TenantMap map;
  int loaders = 1;            // threads
};

// The loaded sets, inside of the master's.
struct Tenants {
  struct One {
    TenantId id;
    std::shared_ptr<const RuleSet> rules;
  };
  std::vector<One> all;   // ids rising
  TenantMap map;

  // Its place in `all`; none: no such tenant.
  [[nodiscard]] std::optional<size_t> find(TenantId id) const;
};

// Loads all of the plan; `previous`: the tenants of the set that is replaced, or null. Diagnostics and counts are added to `report`.
// Tenants whose files and variables are the same share one compiled set, unless it has data sets.
[[nodiscard]] Result<std::shared_ptr<const Tenants>> load_tenants(const TenantPlan& plan, const Tenants* previous, LoadReport& report);

}  // namespace vong::detect
