// Every maximum of IMAP, with what happens when it is reached.
#pragma once

#include <cstddef>

namespace vong::imap {

// A line is looked at up to here; of a longer one the rest is read over, up to its line feed.
inline constexpr size_t kMaxLineBytes = 8 * 1024;
// Mails of a flow that nobody has taken yet; further ones are read over.
inline constexpr size_t kMaxTransactions = 256;

// Of a BODYSTRUCTURE: how deep parts and messages stand in each other, how many parts, how many parameters of one. Behind them it is
// not read on.
inline constexpr size_t kMaxPartDepth = 16, kMaxPartsOfStructure = 128, kMaxPartParameters = 16;
// Bytes of header fields that are remembered of a flow's messages and their parts, for when a body is fetched by itself; the oldest go
// first. And of one header; a longer one is not remembered.
inline constexpr size_t kMaxKnownHeaderBytes = 128 * 1024, kMaxKnownHeader = 16 * 1024;

}  // namespace vong::imap
