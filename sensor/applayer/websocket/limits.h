// Every maximum of the WebSocket parser, with what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::websocket {

// Payload of a frame, of a message over its fragments, and of what comes out of decompression, each
// (app-layer.protocols.websocket.max-payload-size): the rest is skipped (skip_end_of_payload), not
// joined (reassembly_limit_reached), or not decompressed.
inline constexpr size_t kPayloadBytesMax = 0xffff;
// The setting goes no higher: a parser must not leave more unread than this.
inline constexpr size_t kPayloadBytesCeiling = 512 * 1024;
// Open transactions in a flow: more is an error of the flow.
inline constexpr size_t kTransactionsMax = 4096;

}  // namespace vong::websocket
