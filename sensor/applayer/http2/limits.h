// Every maximum of the HTTP/2 parser, with what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::http2 {

// A frame up to this size is read whole; of a longer one only DATA is used (long_frame_data).
inline constexpr size_t kWholeFrameBytesMax = 65'536;
// The frame size that a peer may send without being asked; longer first frames are not HTTP/2.
inline constexpr size_t kFirstFrameBytesMax = 16'384;
// Open streams of a flow (app-layer.protocols.http2.max-streams): more is an error of the flow
// (too_many_streams).
inline constexpr uint32_t kStreamsMax = 4096;
// Bytes of a header block over all its CONTINUATION frames (max-reassembly-size): what comes beyond
// is dropped (reassembly_limit_reached).
inline constexpr size_t kHeaderBlockBytesMax = 102'400;
// Dynamic table of HPACK, whatever the peers agree on (max-table-size).
inline constexpr size_t kTableBytesMax = 65'536;
// Decoded names and values of one side of a stream: more fields are dropped, so that a block of
// one-byte references to large table entries cannot blow up (reassembly_limit_reached).
inline constexpr size_t kFieldBytesMax = 512 * 1024;
inline constexpr size_t kFieldsMax = 4096;
// And of one direction of a flow, over all its streams: so many bytes, and so many more for each byte of header block that came. A
// browser that sends the same long cookies by index with every request stays below; what goes beyond is dropped the same way.
inline constexpr uint64_t kFlowFieldBytesFree = 512 * 1024;
inline constexpr uint64_t kFlowFieldBytesPerByte = 192;
// Numbers kept of a side's frames (types, windows, priorities, errors, settings), each: later ones
// are dropped (too_many_frames).
inline constexpr size_t kNotesMax = 4096;
// One DNS message inside HTTP (dns_request_too_long, dns_response_too_long).
inline constexpr size_t kDnsBytesMax = 65'535;

}  // namespace vong::http2
