// CRC-32C (Castagnoli, RFC 3720 appendix B.4): checksums of what we write to disk. The CPU's
// instruction where there is one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace vong {

// The checksum of `bytes`, going on from `crc` (0 to begin): crc32c(b, crc32c(a)) is the checksum
// of a followed by b.
[[nodiscard]] uint32_t crc32c(Bytes bytes, uint32_t crc = 0);
// The same, table by table; what the tests compare with.
[[nodiscard]] uint32_t crc32c_portable(Bytes bytes, uint32_t crc = 0);

}  // namespace vong
