// Every maximum of the QUIC parser, with what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::quic {

// Handshake bytes of one direction that are kept until its hello is whole: more is
// crypto_frag_too_long and what was kept is dropped.
inline constexpr size_t kCryptoBytesMax = 65'535;
// CRYPTO frames of a direction that wait for what stands before them.
inline constexpr size_t kCryptoPiecesMax = 256;
// Frames looked at in a packet (runs of padding count as one), packets in a datagram.
inline constexpr int kFramesMax = 1024;
inline constexpr int kPacketsMax = 16;
// Tags of a gQUIC handshake message, as the standard had it.
inline constexpr uint32_t kTagsMax = 128;
// Open transactions in a flow: packets beyond make none.
inline constexpr size_t kTransactionsMax = 256;
inline constexpr size_t kConnectionIdBytesMax = 20;

}  // namespace vong::quic
