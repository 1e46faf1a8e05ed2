// Packets by what rule headers can tell apart: every address and port falls into a class, such that all lists of all rules hold either the
// whole class or none of it. A packet's four classes then decide every header, and few combinations of classes ever occur: each is
// judged once. Immutable.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sensor/detect/compiled_rule.h"

namespace vong::detect {

class HeaderClasses {
 public:
  void build(std::span<const Header> headers, std::span<const uint8_t> used);   // used[i]: header i takes part

  [[nodiscard]] uint32_t src(const IpAddress& a) const { return address(src_, a); }
  [[nodiscard]] uint32_t dst(const IpAddress& a) const { return address(dst_, a); }
  [[nodiscard]] uint16_t sport(uint16_t port) const { return sport_.empty() ? 0 : sport_[port]; }
  [[nodiscard]] uint16_t dport(uint16_t port) const { return dport_.empty() ? 0 : dport_[port]; }

 private:
  struct Side {
    std::vector<uint32_t> v4_start, v4_class;        // sorted starts of ranges, the first is 0
    std::vector<rules::U128> v6_start;
    std::vector<uint32_t> v6_class;
  };
  static uint32_t address(const Side& side, const IpAddress& a);
  static void build_side(std::span<const rules::AddressSet* const> sets, Side& side);
  static void build_ports(std::span<const rules::PortSet* const> sets, std::vector<uint16_t>& table);

  Side src_, dst_;
  std::vector<uint16_t> sport_, dport_;              // 65,536 entries, or empty when no rule asks
};

}  // namespace vong::detect
