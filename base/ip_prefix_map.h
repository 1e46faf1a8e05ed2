// Longest-prefix lookup: address ranges (RFC 4632, RFC 4291) to values. Built once, then read from any thread. IPv4 and IPv6
// are apart: 10.0.0.0/8 never covers ::ffff:10.0.0.1. One hash table per prefix length in use, asked from long to short: a
// registry of agencies uses a handful of lengths, so a lookup is a handful of probes.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ip_address.h"

namespace vong {

// An address with the bits behind `length` set to zero.
struct IpPrefix {
  IpAddress address;
  int length = 0;  // bits, at most 32 or 128

  // "10.0.0.0/8", "2001:db8::/32" or a bare address (all its bits). Host bits are cleared, as every router does.
  [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text) {
    const size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const int bits = address->is_v4() ? 32 : 128;
    int length = bits;
    if (slash != std::string_view::npos) {
      const std::string_view digits = text.substr(slash + 1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
      if (error != std::errc() || end != digits.data() + digits.size() || length < 0 || length > bits) return std::nullopt;
    }
    return IpPrefix{masked(*address, length), length};
  }

  [[nodiscard]] static IpAddress masked(const IpAddress& address, int length) {
    uint8_t bytes[16] = {};
    const Bytes from = address.bytes();
    for (size_t i = 0; i < from.size(); ++i) {
      const int keep = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
      bytes[i] = static_cast<uint8_t>(from[i] & (0xff00 >> keep));
    }
    return address.is_v4() ? IpAddress::v4(bytes) : IpAddress::v6(bytes);
  }

  [[nodiscard]] bool contains(const IpAddress& a) const {
    return a.family() == address.family() && masked(a, length) == address;
  }
  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;
};

template <typename Value>
class IpPrefixMap {
 public:
  // False when this very prefix is there already; the first value stays.
  bool insert(const IpPrefix& prefix, Value value) {
    auto& levels = prefix.address.is_v4() ? v4_ : v6_;
    auto level = std::find_if(levels.begin(), levels.end(), [&](const Level& l) { return l.length <= prefix.length; });
    if (level == levels.end() || level->length != prefix.length) level = levels.insert(level, Level{prefix.length, {}});
    return level->values.try_emplace(prefix.address, std::move(value)).second;
  }

  // The value of this very prefix; null when it was not inserted. Valid until the next insert.
  [[nodiscard]] Value* find_exact(const IpPrefix& prefix) {
    for (Level& level : prefix.address.is_v4() ? v4_ : v6_) {
      if (level.length != prefix.length) continue;
      const auto it = level.values.find(prefix.address);
      return it == level.values.end() ? nullptr : &it->second;
    }
    return nullptr;
  }

  // The value of the longest prefix that covers `address`; null when none does. Valid until the next insert.
  [[nodiscard]] const Value* find(const IpAddress& address) const {
    for (const Level& level : levels(address)) {
      const auto it = level.values.find(IpPrefix::masked(address, level.length));
      if (it != level.values.end()) return &it->second;
    }
    return nullptr;
  }

  // Calls `f(value)` for every prefix that covers `address`, longest first.
  template <typename F>
  void for_each_covering(const IpAddress& address, F&& f) const {
    for (const Level& level : levels(address)) {
      const auto it = level.values.find(IpPrefix::masked(address, level.length));
      if (it != level.values.end()) f(it->second);
    }
  }

  [[nodiscard]] bool empty() const { return v4_.empty() && v6_.empty(); }

 private:
  struct Level {
    int length;
    absl::flat_hash_map<IpAddress, Value> values;
  };
  [[nodiscard]] const std::vector<Level>& levels(const IpAddress& a) const {
    static const std::vector<Level> kNone;
    return a.is_v4() ? v4_ : a.family() == 6 ? v6_ : kNone;
  }

  std::vector<Level> v4_, v6_;  // longest first
};

}  // namespace vong
