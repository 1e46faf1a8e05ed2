// `action-order`: which actions' rules come first.
#pragma once

#include <array>
#include <cstdint>

#include "base/settings.h"
#include "rules/network/rule.h"

namespace vong::detect {

class ActionOrder {
 public:
  [[nodiscard]] static ActionOrder from(const Settings& settings);
  [[nodiscard]] int rank(rules::Action a) const { return rank_[static_cast<size_t>(a)]; }

 private:
  std::array<int, 16> rank_{};
};

}  // namespace vong::detect
