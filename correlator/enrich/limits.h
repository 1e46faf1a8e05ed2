// Caps of the registry.
#pragma once

#include <cstddef>

namespace vong::enrich {

inline constexpr size_t kAgenciesMax = 10'000;
inline constexpr size_t kNetworksMax = 200'000;  // of all agencies and systems together
inline constexpr size_t kSensorsMax = 100'000;
inline constexpr size_t kChangesMax = 1'000;  // mergers, splits and new names
inline constexpr size_t kSystemsMax = 10'000;

}  // namespace vong::enrich
