// Every maximum of the HTTP/1 parser, with what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::http {

// A start line or header line longer than this is an error of the flow (request_field_too_long,
// response_field_too_long).
inline constexpr size_t kLineBytesMax = 18'000;
// A folded header grows no further than this; what comes behind is dropped.
inline constexpr size_t kFoldedBytesMax = 102'400;
// Header lines in a message: more is an error of the flow (request_too_many_headers,
// response_too_many_headers).
inline constexpr uint32_t kHeadersMax = 1024;
// Lines of headers in a message, continuations and repetitions among them; more is the same error.
inline constexpr uint32_t kHeadersLinesMax = 16 * 1024;
// Repetitions of names in a message that are joined to their first value; later ones are dropped.
inline constexpr uint32_t kHeaderRepetitionsMax = 64;
// Open transactions in a flow: more is an error of the flow (reference: max-tx).
inline constexpr size_t kTransactionsMax = 512;
// Start line and headers of one message, all lines together: more is an error of the flow.
inline constexpr size_t kHeadBytesMax = 2 * 1024 * 1024;
// Lines that are empty before a start line, skipped one by one; more is an error of the flow.
inline constexpr uint32_t kIgnoredLinesMax = 1024;
// Output against input of a compressed body, from kBombBytesMin on: beyond it the rest is not
// decompressed (compression_bomb).
inline constexpr uint64_t kBombRatio = 2048;
inline constexpr uint64_t kBombBytesMin = 1024 * 1024;
// Layers of Content-Encoding whatever the configuration says.
inline constexpr int kDecompressionLayersMax = 16;
// Bytes kept for a second try while a decompressor has not given anything out.
inline constexpr size_t kDecompressReplayBytes = 4096;
// A body's window when its limit is off or larger; the oldest bytes go.
inline constexpr size_t kBodyWindowBytesMax = 16 * 1024 * 1024;
// A file's name beyond this is cut (file_name_too_long).
inline constexpr size_t kFileNameBytesMax = 4096;
// Files put together of ranges: how many at once (the longest untouched one goes), pieces behind a hole (more: the file is given
// up), and up to which size the whole content is kept; of larger ones the last bytes and the hashes.
inline constexpr size_t kRangeFilesMax = 4096;
inline constexpr size_t kRangePiecesMax = 1024;
inline constexpr size_t kRangeWholeBytesMax = 8 * 1024 * 1024;
// multipart/form-data: boundary (RFC 2046 5.1.1 says 70), header lines of a part.
inline constexpr size_t kBoundaryBytesMax = 200;
inline constexpr size_t kPartHeaderBytesMax = 2048;

}  // namespace vong::http
