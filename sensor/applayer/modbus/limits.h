// Every maximum of Modbus.
#pragma once

#include <cstddef>

namespace vong::modbus {

// Open requests of a flow; one more raises `flooded` and is not kept.
inline constexpr size_t kMaxTransactions = 1024;
// The length field counts from the unit on: unit, function and at most 252 bytes.
inline constexpr size_t kMinLength = 2, kMaxLength = 254;

}  // namespace vong::modbus
