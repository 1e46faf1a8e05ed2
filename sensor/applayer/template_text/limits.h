// Bounds of one flow's state.
#pragma once

#include <cstddef>

namespace vong::template_text {

inline constexpr size_t kMaxLengthDigits = 10;
inline constexpr size_t kMaxMessageBytes = 256 * 1024;
inline constexpr size_t kMaxOpenTransactions = 256;

}  // namespace vong::template_text
