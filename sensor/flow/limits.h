// Named maxima of the flow room.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::flow {

// Flows whatever flow.memcap says: their numbers are 32-bit, and the hash index is doubled ahead of
// them.
inline constexpr size_t kMaxFlows = size_t{1} << 26;
// What one flow costs against flow.memcap beside sizeof(Flow): its share of the index, at half
// load.
inline constexpr size_t kIndexBytesPerFlow = 16;
// Smallest table, however small flow.memcap is.
inline constexpr size_t kMinFlows = 64;
// Flows looked at for eviction each time a new one finds the table full (emergency mode).
inline constexpr size_t kEvictionScan = 32;
// Timer wheel: slots of one second. Later deadlines wait in the last slot and are put in again.
inline constexpr uint32_t kWheelSlots = 4096;

}  // namespace vong::flow
