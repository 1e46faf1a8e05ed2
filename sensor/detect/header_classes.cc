#include "sensor/detect/header_classes.h"

#include <algorithm>
#include <map>
#include <set>

namespace vong::detect {
namespace {

// Ranges between all borders, numbered by which sets hold them.
template <typename T, typename RangesOf>
void number_ranges(size_t sets, RangesOf ranges_of, std::vector<T>& starts, std::vector<uint32_t>& classes,
                   std::map<std::vector<bool>, uint32_t>& known) {
  std::set<T> borders{T{}};
  for (size_t i = 0; i < sets; ++i) {
    for (const rules::Range<T>& r : ranges_of(i)) {
      borders.insert(r.first);
      if (r.last != rules::RangeLimits<T>::kMax) borders.insert(rules::RangeLimits<T>::next(r.last));
    }
  }
  for (const T& start : borders) {
    std::vector<bool> held(sets);
    for (size_t i = 0; i < sets; ++i) held[i] = rules::contains(ranges_of(i), start);
    const uint32_t id = known.emplace(std::move(held), static_cast<uint32_t>(known.size())).first->second;
    if (!classes.empty() && classes.back() == id) continue;
    starts.push_back(start);
    classes.push_back(id);
  }
}

}  // namespace

void HeaderClasses::build_side(std::span<const rules::AddressSet* const> sets, Side& side) {
  std::map<std::vector<bool>, uint32_t> known;
  number_ranges<uint32_t>(sets.size(), [&](size_t i) -> const auto& { return sets[i]->v4(); }, side.v4_start, side.v4_class, known);
  number_ranges<rules::U128>(sets.size(), [&](size_t i) -> const auto& { return sets[i]->v6(); }, side.v6_start, side.v6_class, known);
}

void HeaderClasses::build_ports(std::span<const rules::PortSet* const> sets, std::vector<uint16_t>& table) {
  if (sets.empty()) return;
  std::map<std::vector<bool>, uint32_t> known;
  std::vector<uint16_t> starts;
  std::vector<uint32_t> classes;
  number_ranges<uint16_t>(sets.size(), [&](size_t i) -> const auto& { return sets[i]->ranges(); }, starts, classes, known);
  table.resize(65'536);
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t end = i + 1 < starts.size() ? starts[i + 1] : table.size();
    std::fill(table.begin() + starts[i], table.begin() + static_cast<std::ptrdiff_t>(end), static_cast<uint16_t>(classes[i]));
  }
}

void HeaderClasses::build(std::span<const Header> headers, std::span<const uint8_t> used) {
  std::set<const rules::AddressSet*> src, dst;
  std::set<const rules::PortSet*> sport, dport;
  for (size_t i = 0; i < headers.size(); ++i) {
    const Header& h = headers[i];
    if (used[i] == 0) continue;
    if (!h.src->is_any()) src.insert(h.src.get());
    if (!h.dst->is_any()) dst.insert(h.dst.get());
    if (!h.sport->is_any()) sport.insert(h.sport.get());
    if (!h.dport->is_any()) dport.insert(h.dport.get());
  }
  const auto list = [](const auto& set) { return std::vector(set.begin(), set.end()); };
  build_side(list(src), src_);
  build_side(list(dst), dst_);
  build_ports(list(sport), sport_);
  build_ports(list(dport), dport_);
}

uint32_t HeaderClasses::address(const Side& side, const IpAddress& a) {
  const auto look = [](const auto& starts, const auto& classes, const auto& x) {
    return classes[static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), x) - starts.begin()) - 1];
  };
  if (a.is_v4()) return look(side.v4_start, side.v4_class, a.v4_host_order());
  if (a.is_v6()) return look(side.v6_start, side.v6_class, rules::AddressSet::to_number(a));
  return ~0u;
}

}  // namespace vong::detect
