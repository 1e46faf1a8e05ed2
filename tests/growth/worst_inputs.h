// The worst inputs of each class of vulnerability that sensors have had, by size: `frames(n)` gives
// packets with about n bytes of the attacker's.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vong::growth {

using Frames = std::vector<std::string>;

struct Case {
  std::string name;
  std::string_view kind;  // memory, work, depth, log, evasion
  size_t n = 8192;        // the smallest of the three sizes
  std::function<Frames(size_t n)> frames;
};

[[nodiscard]] std::vector<Case> worst_inputs();

// Rules that make the parsers' buffers and the payload be inspected.
[[nodiscard]] std::string_view rules();

}  // namespace vong::growth
