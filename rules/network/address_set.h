// Address and port lists of rule headers, compiled: "[10.0.0.0/8,!10.1.0.0/16,$DMZ]" to sorted
// ranges.
//
// What the language says: the items without '!' are taken together (none: everything), then the
// items with '!' are taken away. Nesting does not matter, an item is negated when the '!' around it
// are odd in number. A list that leaves nothing
// ("!any", "[80,!80]") is an error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ip_address.h"
#include "rules/network/ranges.h"
#include "rules/network/value.h"
#include "rules/network/variables.h"

namespace vong::rules {

class AddressSet {
 public:
  AddressSet() = default;
  // Items: any, an address, address/prefix length, IPv4 address/netmask, address-address,
  // $VARIABLE.
  [[nodiscard]] static Parsed<AddressSet> parse(std::string_view text, const Variables& variables);

  [[nodiscard]] bool contains(const IpAddress& address) const {
    if (any_) return true;
    if (address.is_v4()) return rules::contains(v4_, address.v4_host_order());
    return address.is_v6() && rules::contains(v6_, to_number(address));
  }
  [[nodiscard]] bool is_any() const { return any_; }
  [[nodiscard]] const Ranges<uint32_t>& v4() const { return v4_; }  // host order
  [[nodiscard]] const Ranges<U128>& v6() const { return v6_; }
  [[nodiscard]] static U128 to_number(const IpAddress& v6);

  friend bool operator==(const AddressSet&, const AddressSet&) = default;

 private:
  Ranges<uint32_t> v4_;
  Ranges<U128> v6_;
  bool any_ = false;
};

class PortSet {
 public:
  PortSet() = default;
  // Items: any, 80, 80:90, :1024, 1024:, $VARIABLE.
  [[nodiscard]] static Parsed<PortSet> parse(std::string_view text, const Variables& variables);

  [[nodiscard]] bool contains(uint16_t port) const {
    return any_ || rules::contains(ranges_, port);
  }
  [[nodiscard]] bool is_any() const { return any_; }
  [[nodiscard]] const Ranges<uint16_t>& ranges() const { return ranges_; }

  friend bool operator==(const PortSet&, const PortSet&) = default;

 private:
  Ranges<uint16_t> ranges_;
  bool any_ = false;
};

// Gives equal lists one object: 36,000 rules use a few hundred. The sets outlive the cache. Not
// thread-safe; the sets themselves are immutable.
class ListCache {
 public:
  // `variables` must outlive the cache and not change.
  explicit ListCache(const Variables& variables) : variables_(variables) {}

  // The error points into `text`.
  [[nodiscard]] Parsed<std::shared_ptr<const AddressSet>> addresses(std::string_view text);
  [[nodiscard]] Parsed<std::shared_ptr<const PortSet>> ports(std::string_view text);

  // Different sets so far.
  [[nodiscard]] size_t address_sets() const { return address_by_ranges_.size(); }
  [[nodiscard]] size_t port_sets() const { return port_by_ranges_.size(); }

 private:
  template <typename Set>
  using ByKey = absl::flat_hash_map<std::string, std::shared_ptr<const Set>>;

  const Variables& variables_;
  ByKey<AddressSet> address_by_text_;
  ByKey<AddressSet> address_by_ranges_;
  ByKey<PortSet> port_by_text_;
  ByKey<PortSet> port_by_ranges_;
};

}  // namespace vong::rules
