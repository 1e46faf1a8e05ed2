// Small conversions that Windows protocols share.
#pragma once

#include <string>

#include "base/bytes.h"

namespace vong::formats {

// UTF-16 text (or any other) without its zero bytes.
[[nodiscard]] std::string without_zeros(Bytes text);

// "12345678-1234-abcd-ef00-0123456789ac" of 16 bytes as they stand in big-endian order.
[[nodiscard]] std::string uuid_text(Bytes uuid);

// The same of a Windows GUID or file id as EVE shows it: all groups but the begin of the last are little endian. Empty for
// other sizes than 16.
[[nodiscard]] std::string guid_text(Bytes guid);

// 16 bytes of a UUID in text form; empty when it is none.
[[nodiscard]] std::string parse_uuid(std::string_view text);

}  // namespace vong::formats
