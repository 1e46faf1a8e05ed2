// Which literals a scan of an index has told already.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vong::matcher {

// One per thread, for any number of indexes.
class LiteralMarks {
 public:
  void start(size_t ids) {
    if (marks_.size() < ids) marks_.resize(ids, 0);
    if (++epoch_ != 0) return;
    std::fill(marks_.begin(), marks_.end(), 0);
    epoch_ = 1;
  }
  [[nodiscard]] bool told(uint32_t id) const { return marks_[id] == epoch_; }
  void tell(uint32_t id) { marks_[id] = epoch_; }

 private:
  std::vector<uint32_t> marks_;
  uint32_t epoch_ = 0;
};

}  // namespace vong::matcher
