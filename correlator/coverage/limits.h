// Caps of what is known of sensors.
#pragma once

#include <cstddef>

namespace vong::coverage {

inline constexpr size_t kStatusBytesMax = 262'144;  // one record
inline constexpr size_t kSensorsMax = 100'000;      // further ones are refused
inline constexpr size_t kNamesMax = 100;            // listed in one record; the rest is counted

}  // namespace vong::coverage
