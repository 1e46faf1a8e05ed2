// What a TLS session may cost before it is encrypted. All of it is per flow.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::tls {

inline constexpr size_t kRecordHeaderBytes = 5;
// RFC 8446 5.2 allows 2^14 + 256, RFC 5246 2^14 + 2048; above it the record is an error.
inline constexpr size_t kMaxRecordBytes = (1 << 14) + 2048;
// A handshake message that is put together from several records. Larger ones are skipped (event
// invalid_handshake_message).
inline constexpr size_t kMaxHandshakeBytes = 128 * 1024;
// Certificates of a chain that are kept.
inline constexpr size_t kMaxCertificates = 32;
inline constexpr size_t kMaxAlpns = 64;
inline constexpr size_t kMaxAlternativeNames = 512;
inline constexpr int kMaxDerDepth = 8;
// Subject and issuer as text.
inline constexpr size_t kMaxNameBytes = 16 * 1024;

}  // namespace vong::tls
