// What a Kerberos flow may cost.
#pragma once

#include <cstddef>

namespace vong::krb5 {

inline constexpr size_t kMaxTransactions = 256;       // open at once; the next message makes none
inline constexpr size_t kMaxRecordBytes = 64 * 1024;  // longer messages on TCP are passed over

}  // namespace vong::krb5
