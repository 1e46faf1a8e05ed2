// Every maximum of LDAP, with what happens when it is reached.
#pragma once

#include <cstddef>

#include "sensor/applayer/core/limits.h"

namespace vong::ldap {

// Longer messages end the parsing of their flow, with an event.
inline constexpr size_t kMaxMessageBytes = applayer::kUnconsumedBytesMax - 8;
// Requests without their last response; beyond it the oldest is closed, with an event (max-tx).
inline constexpr size_t kMaxTransactions = 256;
// Responses of a request, and their bytes, that are kept; more are counted only.
inline constexpr size_t kMaxResponses = 1024;
inline constexpr size_t kMaxResponseBytes = 1024 * 1024;
// Attributes, values and changes kept of a message.
inline constexpr size_t kMaxElements = 1024;

}  // namespace vong::ldap
