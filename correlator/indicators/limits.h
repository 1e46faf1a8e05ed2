// Caps of the lists of indicators. What does not fit is left out and said at loading.
#pragma once

#include <cstddef>

namespace vong::indicators {

inline constexpr size_t kListsMax = 64;              // named lists
inline constexpr size_t kIndicatorsMax = 2'000'000;  // of all lists together; about 70 bytes each
inline constexpr size_t kFileBytesMax = 512u << 20;  // of one file
inline constexpr size_t kLineBytesMax = 16'384;      // of one line of a file
inline constexpr size_t kValueBytesMax =
    2'048;  // of one indicator; longer values are not looked up either
inline constexpr size_t kDomainLabelsMax = 16;  // of a name whose parents are looked up

}  // namespace vong::indicators
