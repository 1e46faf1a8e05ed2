// The named address and port groups of a configuration (vars.address-groups, vars.port-groups).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vong::rules {

class Variables {
 public:
  using Group = std::map<std::string, std::string, std::less<>>;

  // Name without '$', value as in the configuration: "[10.0.0.0/8,192.168.0.0/16]", "!$HOME_NET",
  // "any". A later value of the same name replaces the earlier one.
  void set_addresses(std::string name, std::string value) {
    addresses_.insert_or_assign(std::move(name), std::move(value));
  }
  void set_ports(std::string name, std::string value) {
    ports_.insert_or_assign(std::move(name), std::move(value));
  }
  [[nodiscard]] const Group& addresses() const { return addresses_; }
  [[nodiscard]] const Group& ports() const { return ports_; }

  // The groups and values that Suricata's shipped configuration has, so that rules load without
  // one.
  [[nodiscard]] static Variables defaults();

 private:
  Group addresses_;
  Group ports_;
};

}  // namespace vong::rules
