// Caps of the compiled rules. The Sigma room has already capped what one rule may hold.
#pragma once

#include <cstddef>

namespace vong::match {

inline constexpr size_t kRangeListMax =
    1'000'000;  // entries of all range segments of one field; beyond: tested one by one
inline constexpr size_t kScannedBytesMax =
    256 * 1024;  // of one value given to the pattern set; the rest is not searched

}  // namespace vong::match
