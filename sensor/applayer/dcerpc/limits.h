// What a DCERPC flow may cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::dcerpc {

inline constexpr size_t kMaxTransactions =
    1024;  // setting max-tx: at the cap the oldest is finished
inline constexpr size_t kMaxStubBytes =
    1024 * 1024;  // kept of one direction of a call; the rest is counted

}  // namespace vong::dcerpc
