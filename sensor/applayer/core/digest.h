// Digests of short texts, as records and fingerprints show them. (Files are hashed as they come: file.h.)
#pragma once

#include <string>

#include "base/bytes.h"

namespace vong::applayer {

// Lower-case hexadecimal.
[[nodiscard]] std::string md5_hex(Bytes data);
[[nodiscard]] std::string sha256_hex(Bytes data);
// The same with colons between bytes, as certificates' fingerprints are written.
[[nodiscard]] std::string sha1_colons(Bytes data);

}  // namespace vong::applayer
