// Every maximum of IMAP, with what happens when it is reached.
#pragma once

#include <cstddef>

namespace vong::imap {

// A line is looked at up to here; of a longer one the rest is read over, up to its line feed.
inline constexpr size_t kMaxLineBytes = 8 * 1024;
// Mails of a flow that nobody has taken yet; further ones are read over.
inline constexpr size_t kMaxTransactions = 256;

}  // namespace vong::imap
