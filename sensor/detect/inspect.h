// Evaluates a list of nodes on a buffer: does this buffer hold the contents, expressions and numbers that the rule asks for, in the
// distances that it asks for? Backtracks over the occurrences of a content whose successor is relative to it. Steps on one
// buffer are capped (Runtime::recursion_limit), depth by the list's length (kMaxNodesPerList).
#pragma once

#include <span>

#include "sensor/detect/node.h"
#include "sensor/detect/runtime.h"

namespace vong::detect {

[[nodiscard]] bool inspect(Runtime& rt, std::span<const Node> nodes, const BufferInput& in);

// First occurrence of `pattern` (lower case when nocase) in data[from, to); npos when there is none.
inline constexpr size_t kNotFound = static_cast<size_t>(-1);
[[nodiscard]] size_t find_bytes(Bytes data, size_t from, size_t to, Bytes pattern, bool nocase);

}  // namespace vong::detect
