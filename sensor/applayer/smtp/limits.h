// What an SMTP session and a mail in it may cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::smtp {

// A growing attachment is shown to rules from this size on, if the configuration says nothing.
inline constexpr uint64_t kInspectMinBytes = 32768;

inline constexpr size_t kMaxLineBytes =
    4096;  // commands and replies; longer ones are cut (events max_*_line_len_exceeded)
inline constexpr size_t kMaxPendingCommands = 256;  // sent, not answered yet; the oldest go first
inline constexpr size_t kMaxRecipients = 1000;
inline constexpr size_t kMaxOpenTransactions = 256;

inline constexpr size_t kMaxMailLineBytes = 998;    // RFC 5322 2.1.1: above it event mime_long_line
inline constexpr size_t kMaxEncodedLineBytes = 76;  // RFC 2045 6.7, 6.8: mime_long_enc_line
inline constexpr size_t kMaxHeaderNameBytes = 75;   // mime_long_header_name
inline constexpr size_t kMaxHeaderValueBytes =
    2000;  // mime_long_header_value; the setting header-value-depth
inline constexpr size_t kMaxHeaders = 512;        // of the mail itself
inline constexpr size_t kMaxBoundaryBytes = 254;  // mime_long_boundary
inline constexpr size_t kMaxFilenameBytes = 255;  // mime_long_filename
inline constexpr size_t kMaxNesting = 16;         // multiparts within multiparts
inline constexpr size_t kMaxAttachments = 512;
inline constexpr size_t kMaxUrls = 512;
// Named in records that go with a part of the mail or an alert, each; the mail's own record names all that are kept.
inline constexpr size_t kMaxNamesBeside = 64;
inline constexpr size_t kMaxUrlBytes = 2048;
inline constexpr size_t kMaxTextLineBytes = 8192;  // of decoded text, searched for URLs as a whole

}  // namespace vong::smtp
