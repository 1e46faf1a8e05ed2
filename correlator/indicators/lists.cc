#include "correlator/indicators/lists.h"

#include "base/strings.h"

namespace vong::indicators {

void Lists::lower_into(std::string_view value, std::string& out) {
  out.resize(value.size());
  for (size_t i = 0; i < value.size(); ++i) out[i] = ascii_lower(value[i]);
}

void Lists::chain(uint32_t& first, uint32_t list, const Indicator& indicator) {
  for (uint32_t i = first; i != kNone; i = entries_[i].next) {
    Entry& e = entries_[i];
    if (e.list != list || e.kind != indicator.kind) continue;
    e.from_ns = indicator.from_ns;
    e.until_ns = indicator.until_ns;
    return;
  }
  entries_.push_back(
      {indicator.from_ns, indicator.until_ns, first, static_cast<uint16_t>(list), indicator.kind});
  first = static_cast<uint32_t>(entries_.size() - 1);
}

bool Lists::add(uint32_t list, const Indicator& indicator) {
  if (entries_.size() >= kIndicatorsMax) return false;
  has_[static_cast<size_t>(indicator.kind)] = true;
  if (indicator.kind == Kind::kIp || indicator.kind == Kind::kCidr) {
    const auto prefix = IpPrefix::parse(indicator.value);
    if (!prefix) return true;
    uint32_t first = kNone;
    if (uint32_t* known = addresses_.find_exact(*prefix)) {
      chain(*known, list, indicator);
    } else {
      chain(first, list, indicator);
      addresses_.insert(*prefix, first);
    }
    return true;
  }
  // A URL's path tells its letters' case apart; everything else is in lower case already.
  uint32_t& first = texts_.try_emplace(state::fingerprint_of(indicator.value), kNone).first->second;
  chain(first, list, indicator);
  return true;
}

}  // namespace vong::indicators
