// What an NFS flow may cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::nfs {

inline constexpr size_t kMaxTransactions =
    1024;                                       // setting max-tx: at the cap the oldest is finished
inline constexpr size_t kMaxCalls = 1024;       // calls that wait for their answer; the oldest goes
inline constexpr size_t kMaxNames = 1024;       // names of file handles; the oldest goes
inline constexpr size_t kMaxNameBytes = 1024;   // longer names are cut
inline constexpr size_t kMaxHandleBytes = 128;  // RFC 7530; older versions have less
inline constexpr size_t kMaxDirectoryEntries = 4096;  // of one answer that are looked at
inline constexpr size_t kMaxOperations = 128;         // of one compound

// A record that carries no part of a file must come whole; longer ones are passed over.
inline constexpr size_t kMaxRecordBytes = 1024 * 1024 - 64;
// From here on a record that carries part of a file is read as it comes.
inline constexpr size_t kStreamRecordBytes = 512;

// Parts of a file that came before their turn.
inline constexpr uint64_t kMaxQueuedBytes = 64ULL * 1024 * 1024;
inline constexpr uint32_t kMaxQueuedParts = 64;

}  // namespace vong::nfs
