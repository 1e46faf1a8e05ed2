#include "sensor/detect/prefix_table.h"

#include <algorithm>

namespace vong::detect {

void PrefixTable::finish() {
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    single_ = single_ || entries_[i].pattern.size() == 1;
    ranges_.try_emplace(entries_[i].key, i, i).first->second.second = i + 1;
  }
}

}  // namespace vong::detect
