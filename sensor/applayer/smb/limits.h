// What an SMB session may cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::smb {

inline constexpr size_t kMaxTransactions =
    1024;  // setting max-tx: open at once; more ends the parsing

// What is remembered between messages (settings max-guid-cache-size, max-rec-offset-cache-size,
// max-tree-cache-size, max-dcerpc-frag-cache-size, max-session-cache-size); at the cap the oldest
// goes.
inline constexpr size_t kMaxGuids = 1024;        // names of open files
inline constexpr size_t kMaxOffsets = 128;       // reads that wait for their answer
inline constexpr size_t kMaxTrees = 512;         // connected shares
inline constexpr size_t kMaxFragments = 128;     // units of DCERPC that are not whole yet
inline constexpr size_t kMaxPendingNames = 512;  // creates that wait for their answer

inline constexpr size_t kMaxDialects = 64;
inline constexpr size_t kMaxNameBytes = 4096;  // longer names of files and shares are cut
inline constexpr size_t kMaxFragmentBytes =
    256 * 1024;                                       // of one unfinished unit of DCERPC on a pipe
inline constexpr size_t kMaxStubBytes = 1024 * 1024;  // of one call; the rest is counted, not kept
inline constexpr size_t kMaxCommandsPerRecord = 64;   // AndX chains and compounds
inline constexpr size_t kMaxCompoundsPerRecord = 1024;

// A record that carries no file must come whole; longer ones are passed over.
inline constexpr size_t kMaxRecordBytes = 1024 * 1024 - 64;
// From here on a record that carries part of a file is read as it comes.
inline constexpr size_t kStreamRecordBytes = 512;

// Settings max-read-size, max-write-size: what a server may offer and one read or write may carry.
inline constexpr uint64_t kMaxPartBytes = 16ULL * 1024 * 1024;

// Parts of a file that came before their turn, when nothing is configured.
inline constexpr uint64_t kMaxQueuedBytes = 64ULL * 1024 * 1024;
inline constexpr uint32_t kMaxQueuedParts = 64;

// Copies of one event that a transaction may carry.
inline constexpr size_t kMaxRepeatedEvents = 255;

}  // namespace vong::smb
