// Every maximum of the PostgreSQL protocol, with what happens when it is reached.
#pragma once

#include <cstddef>

namespace vong::pgsql {

// Of a message that is kept (query, error, parameter): what is longer is cut off. Rows and copied
// data are counted without being kept.
inline constexpr size_t kMaxMessageBytes = 256 * 1024;
// A start-up packet is never longer; the server has the same bound.
inline constexpr size_t kMaxStartupBytes = 10'000;
// Requests without their answer; beyond it the oldest is closed, with an event (max-tx).
inline constexpr size_t kMaxTransactions = 1024;
// Bytes of queries that wait for their answers; beyond it the oldest is closed, with an event.
inline constexpr size_t kMaxHeldBytes = 16 * 1024 * 1024;
// Parameters kept of a start-up packet or an answer.
inline constexpr size_t kMaxParameters = 128;

}  // namespace vong::pgsql
