#include "rules/network/address_set.h"

#include <fmt/format.h>

#include <bit>
#include <optional>

#include "rules/network/list_leaves.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"

namespace vong::rules {
namespace {

constexpr uint16_t kMaxPort = RangeLimits<uint16_t>::kMax;

constexpr std::string_view kAddressForms =
    "any, an address, address/prefix length or first-last expected";

struct Collected {
  Ranges<uint32_t> v4;
  Ranges<U128> v6;

  void normalize_both() {
    normalize(v4);
    normalize(v6);
  }
  [[nodiscard]] bool empty() const { return v4.empty() && v6.empty(); }
  void add_all() {
    v4.push_back({0, RangeLimits<uint32_t>::kMax});
    v6.push_back({{}, RangeLimits<U128>::kMax});
  }
};

// The `bits` lowest bits set.
constexpr U128 low_bits(unsigned bits) {
  const auto ones = [](unsigned n) { return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1; };
  return {bits > 64 ? ones(bits - 64) : 0, ones(std::min(bits, 64u))};
}

void add_prefix(Collected& out, const IpAddress& address, unsigned length) {
  if (address.is_v4()) {
    const uint32_t host = length == 0 ? ~uint32_t{0} : length == 32 ? 0 : ~uint32_t{0} >> length;
    const uint32_t base = address.v4_host_order() & ~host;
    out.v4.push_back({base, base | host});
    return;
  }
  const U128 host = low_bits(128 - length);
  const U128 number = AddressSet::to_number(address);
  const U128 base{number.high & ~host.high, number.low & ~host.low};
  out.v6.push_back({base, {base.high | host.high, base.low | host.low}});
}

// The length of "24" or of the netmask "255.255.255.0".
Parsed<unsigned> prefix_length(const IpAddress& address, std::string_view text) {
  const unsigned longest = address.is_v4() ? 32 : 128;
  if (const auto mask = IpAddress::parse(text); mask && mask->is_v4() && address.is_v4()) {
    const uint32_t bits = mask->v4_host_order();
    const auto length = static_cast<unsigned>(std::countl_one(bits));
    if (length + static_cast<unsigned>(std::countr_zero(bits)) >= 32 || bits == 0) return length;
    return value_error(text, fmt::format("netmask {} has gaps", shown(text)));
  }
  if (text.size() <= 3 && !text.empty() && std::all_of(text.begin(), text.end(), is_digit)) {
    const auto length = parse_unsigned(text);
    if (length && *length <= longest) return static_cast<unsigned>(*length);
  }
  return value_error(
      text, fmt::format("prefix length of 0 to {} expected, not {}", longest, shown(text)));
}

Parsed<IpAddress> parse_address(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) return *address;
  return value_error(text, fmt::format("{} is no IP address: {}", shown(text), kAddressForms));
}

std::optional<ValueError> add_range(Collected& out, std::string_view text, size_t dash) {
  const auto first = parse_address(trim(text.substr(0, dash)));
  if (!first) return first.error();
  const auto last = parse_address(trim(text.substr(dash + 1)));
  if (!last) return last.error();
  if (first->family() != last->family()) {
    return ValueError{text, fmt::format("range {} joins IPv4 and IPv6", shown(text))};
  }
  if (*last < *first)
    return ValueError{text, fmt::format("range {} ends before it begins", shown(text))};
  if (first->is_v4()) {
    out.v4.push_back({first->v4_host_order(), last->v4_host_order()});
  } else {
    out.v6.push_back({AddressSet::to_number(*first), AddressSet::to_number(*last)});
  }
  return {};
}

std::optional<ValueError> add_address(Collected& out, std::string_view text) {
  if (equal_nocase(text, "any")) {
    out.add_all();
    return {};
  }
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto address = parse_address(trim(text.substr(0, slash)));
    if (!address) return address.error();
    const auto length = prefix_length(*address, trim(text.substr(slash + 1)));
    if (!length) return length.error();
    add_prefix(out, *address, *length);
    return {};
  }
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    return add_range(out, text, dash);
  }
  const auto address = parse_address(text);
  if (!address) return address.error();
  add_prefix(out, *address, address->is_v4() ? 32 : 128);
  return {};
}

std::optional<ValueError> add_port(Ranges<uint16_t>& out, std::string_view text) {
  if (equal_nocase(text, "any")) {
    out.push_back({0, kMaxPort});
    return {};
  }
  const auto number = [](std::string_view digits) -> Parsed<uint64_t> {
    if (!digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit)) {
      return parse_unsigned(digits, kMaxPort);
    }
    return value_error(digits,
                       fmt::format("port of 0 to {} expected, not {}", kMaxPort, shown(digits)));
  };
  const size_t colon = text.find(':');
  const std::string_view low = trim(text.substr(0, colon));
  const std::string_view high =
      colon == std::string_view::npos ? low : trim(text.substr(colon + 1));
  if (low.empty() && high.empty()) return ValueError{text, "port expected before or after ':'"};
  const Parsed<uint64_t> first = low.empty() ? Parsed<uint64_t>(0) : number(low);
  if (!first) return first.error();
  const Parsed<uint64_t> last = high.empty() ? Parsed<uint64_t>(kMaxPort) : number(high);
  if (!last) return last.error();
  if (*first > *last)
    return ValueError{text, fmt::format("port range {} ends before it begins", shown(text))};
  out.push_back({static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)});
  return {};
}

// An item's own problem, told at the place of the item in the rule.
ValueError at_leaf(const ListLeaf& leaf, ValueError error) {
  const bool in_rule = leaf.variable.empty();
  ValueError result = leaf_error(leaf, std::move(error.message));
  if (in_rule && error.at.data() != nullptr) result.at = error.at;
  return result;
}

template <typename T>
std::string key_of(const Ranges<T>& ranges) {
  return std::string(reinterpret_cast<const char*>(ranges.data()),
                     ranges.size() * sizeof(Range<T>));
}

// `by_text` first, then `by_ranges`; `key` makes the second key of a parsed set.
template <typename Set, typename Map, typename Key>
Parsed<std::shared_ptr<const Set>> intern(std::string_view text, const Variables& variables,
                                          Map& by_text, Map& by_ranges, Key key) {
  const absl::string_view key_view(text.data(), text.size());  // not std's type in Debian's Abseil
  if (const auto found = by_text.find(key_view); found != by_text.end()) return found->second;
  Parsed<Set> parsed = Set::parse(text, variables);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  auto& shared = by_ranges[key(*parsed)];
  if (!shared) shared = std::make_shared<const Set>(std::move(*parsed));
  by_text.emplace(text, shared);
  return shared;
}

}  // namespace

U128 AddressSet::to_number(const IpAddress& v6) {
  U128 result;
  const Bytes bytes = v6.bytes();
  for (size_t i = 0; i < 8; ++i) result.high = result.high << 8 | bytes[i];
  for (size_t i = 8; i < 16; ++i) result.low = result.low << 8 | bytes[i];
  return result;
}

Parsed<AddressSet> AddressSet::parse(std::string_view text, const Variables& variables) {
  const auto leaves = list_leaves(text, variables.addresses());
  if (!leaves) return std::unexpected(leaves.error());
  Collected with;
  Collected without;
  for (const ListLeaf& leaf : *leaves) {
    if (auto error = add_address(leaf.negated ? without : with, leaf.text)) {
      return std::unexpected(at_leaf(leaf, std::move(*error)));
    }
  }
  if (with.empty()) with.add_all();
  with.normalize_both();
  without.normalize_both();
  AddressSet set;
  set.v4_ = subtract(with.v4, without.v4);
  set.v6_ = subtract(with.v6, without.v6);
  set.any_ = is_complete(set.v4_) && is_complete(set.v6_);
  if (set.v4_.empty() && set.v6_.empty()) {
    return value_error(text, fmt::format("no address is left in {}", shown(text)));
  }
  return set;
}

Parsed<PortSet> PortSet::parse(std::string_view text, const Variables& variables) {
  const auto leaves = list_leaves(text, variables.ports());
  if (!leaves) return std::unexpected(leaves.error());
  Ranges<uint16_t> with;
  Ranges<uint16_t> without;
  for (const ListLeaf& leaf : *leaves) {
    if (auto error = add_port(leaf.negated ? without : with, leaf.text)) {
      return std::unexpected(at_leaf(leaf, std::move(*error)));
    }
  }
  if (with.empty()) with.push_back({0, RangeLimits<uint16_t>::kMax});
  normalize(with);
  normalize(without);
  PortSet set;
  set.ranges_ = subtract(with, without);
  set.any_ = is_complete(set.ranges_);
  if (set.ranges_.empty())
    return value_error(text, fmt::format("no port is left in {}", shown(text)));
  return set;
}

Parsed<std::shared_ptr<const AddressSet>> ListCache::addresses(std::string_view text) {
  return intern<AddressSet>(
      text, variables_, address_by_text_, address_by_ranges_, [](const AddressSet& set) {
        // The first length keeps the two families apart.
        return std::to_string(set.v4().size()) + ':' + key_of(set.v4()) + key_of(set.v6());
      });
}

Parsed<std::shared_ptr<const PortSet>> ListCache::ports(std::string_view text) {
  return intern<PortSet>(text, variables_, port_by_text_, port_by_ranges_,
                         [](const PortSet& set) { return key_of(set.ranges()); });
}

}  // namespace vong::rules
