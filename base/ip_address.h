// One IPv4 or IPv6 address. The family is part of the value: 1.2.3.4 and ::102:304 never compare equal.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vong {

class IpAddress {
 public:
  constexpr IpAddress() = default;  // family 0: no address
  static IpAddress v4(const uint8_t* network_order) {
    IpAddress a;
    a.family_ = 4;
    std::memcpy(a.bytes_.data(), network_order, 4);
    return a;
  }
  static IpAddress v6(const uint8_t* network_order) {
    IpAddress a;
    a.family_ = 6;
    std::memcpy(a.bytes_.data(), network_order, 16);
    return a;
  }
  static IpAddress v4(uint32_t host_order) {
    const uint8_t b[4] = {static_cast<uint8_t>(host_order >> 24), static_cast<uint8_t>(host_order >> 16),
                          static_cast<uint8_t>(host_order >> 8), static_cast<uint8_t>(host_order)};
    return v4(b);
  }
  // Dotted quad or RFC 4291 text, without a prefix length.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] int family() const { return family_; }  // 4, 6, or 0 for none
  [[nodiscard]] bool is_v4() const { return family_ == 4; }
  [[nodiscard]] bool is_v6() const { return family_ == 6; }
  [[nodiscard]] Bytes bytes() const { return {bytes_.data(), family_ == 4 ? 4u : family_ == 6 ? 16u : 0u}; }
  [[nodiscard]] uint32_t v4_host_order() const {
    return static_cast<uint32_t>(bytes_[0]) << 24 | static_cast<uint32_t>(bytes_[1]) << 16 |
           static_cast<uint32_t>(bytes_[2]) << 8 | bytes_[3];
  }

  // EVE's form: dotted quad, or all eight groups of IPv6 without "::" and with four digits each (2001:0db8:0000:...).
  // Writes at most 39 characters at `out`, returns how many.
  size_t format(char* out) const;
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& a) {
    return H::combine(std::move(h), a.family_, a.bytes_);
  }

 private:
  uint8_t family_ = 0;
  std::array<uint8_t, 16> bytes_{};  // network order; an IPv4 address stands in the first four
};

}  // namespace vong
