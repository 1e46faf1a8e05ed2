#include "sensor/detect/head_table.h"

#include <algorithm>

namespace vong::detect {

bool HeadTable::add(Bytes pattern, bool nocase, size_t first, size_t end, uint32_t rule) {
  if (end > kHeadBytes || first + pattern.size() > end) return false;
  const size_t places = end - pattern.size() - first + 1;
  if (places > kMostPlaces) return false;
  uint32_t mask = 0, fold = 0, want = 0;
  for (size_t i = 0; i < std::min<size_t>(pattern.size(), sizeof want); ++i) {
    const uint8_t c = pattern[i];
    mask |= uint32_t{0xff} << (8 * i);
    if (nocase && c >= 'a' && c <= 'z') fold |= uint32_t{0x20} << (8 * i);
    want |= uint32_t{c} << (8 * i);
  }
  for (size_t at = first; at < first + places; ++at) {
    entries_.push_back({pattern, rule, nocase});
    at_.push_back(static_cast<uint32_t>(at));
    mask_.push_back(mask);
    fold_.push_back(fold);
    want_.push_back(want);
  }
  shortest_ = std::min(shortest_, first + pattern.size());
  return true;
}

void HeadTable::finish() {
  const size_t full = (entries_.size() + kLanes - 1) / kLanes * kLanes;
  at_.resize(full, 0);
  mask_.resize(full, 0);
  fold_.resize(full, 0);
  want_.resize(full, ~uint32_t{0});  // never: masked bytes are 0
}

}  // namespace vong::detect
