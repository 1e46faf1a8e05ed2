// Every maximum of SNMP.
#pragma once

#include <cstddef>

namespace vong::snmp {

inline constexpr size_t kMaxVariables = 256;       // names of one message that are kept
inline constexpr size_t kMaxNameBytes = 128;       // of an object identifier; longer: malformed
inline constexpr size_t kMaxMessageBytes = 65535;  // over TCP; more is malformed
// Open transactions of a flow; messages are skipped while there are more.
inline constexpr size_t kMaxTransactions = 1024;

}  // namespace vong::snmp
