// What an FTP session may cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::ftp {

inline constexpr size_t kMaxLineBytes = 4096;  // setting max-line-length; longer lines are cut
inline constexpr size_t kMaxTransactions =
    1024;  // setting max-tx: commands without their answer, or not logged yet
inline constexpr size_t kMaxReplyLines = 256;  // of one command that are kept
inline constexpr size_t kMaxFilenameBytes = 1024;

}  // namespace vong::ftp
