// Every maximum of DNP3.
#pragma once

#include <cstddef>

namespace vong::dnp3 {

// Open transactions of a flow (app-layer.protocols.dnp3.max-tx): one more raises `flooded`, and
// messages are skipped until some are done.
inline constexpr size_t kMaxTransactions = 32;
// Points and objects of one message (max-points, max-objects): decoding stops there with an event.
inline constexpr size_t kMaxPoints = 16384;
inline constexpr size_t kMaxObjects = 2048;
// Bytes of one reassembled message: 64 full segments. More ends it with `too_long_reassembly`.
inline constexpr size_t kMaxMessageBytes = size_t{64} * 249;
// Bytes of text at a flow's beginning that are looked at for a banner.
inline constexpr size_t kMaxBannerBytes = 256;

}  // namespace vong::dnp3
