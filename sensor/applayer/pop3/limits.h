// Every maximum of POP3, with what happens when it is reached.
#pragma once

#include <cstddef>

namespace vong::pop3 {

// A command or an answer's line: what is longer is cut off, with an event (RFC 2449 section 4
// allows 255 and 512 bytes).
inline constexpr size_t kMaxLineBytes = 8 * 1024;
// Commands without their answer; beyond it the oldest is closed, with an event (max-tx).
inline constexpr size_t kMaxTransactions = 256;
// Of the lines that follow an answer: more are read over.
inline constexpr size_t kMaxDataLines = 1024;
inline constexpr size_t kMaxDataBytes = 64 * 1024;
inline constexpr size_t kMaxArguments = 16;

}  // namespace vong::pop3
