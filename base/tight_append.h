// Appending to strings of which many are held at once.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace vong {

// Appends; when there is no room left it grows by a quarter, where std::string (its reserve too)
// would double.
inline void append_tightly(std::string& to, std::string_view more) {
  const size_t needed = to.size() + more.size();
  if (needed > to.capacity()) {
    std::string wider;
    wider.reserve(std::max(needed, to.size() + to.size() / 4));
    wider.append(to).append(more);
    to = std::move(wider);  // only now: `more` may lie in it
    return;
  }
  to.append(more);
}

}  // namespace vong
