// Every maximum of IKE.
#pragma once

#include <cstddef>

namespace vong::ike {

// Of one message; what comes behind is not looked at.
inline constexpr size_t kMaxPayloads = 64;
inline constexpr size_t kMaxProposals = 64;
inline constexpr size_t kMaxTransforms = 256;
inline constexpr size_t kMaxAttributes = 64;  // of one transform
// Key exchange, nonce and vendor payloads are kept up to this size.
inline constexpr size_t kMaxPayloadBytes = 4096;
// Open transactions of a flow; messages are skipped while there are more.
inline constexpr size_t kMaxTransactions = 1024;

}  // namespace vong::ike
