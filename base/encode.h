// Bytes and characters as text: what records and ids are written in.
#pragma once

#include <string>

#include "base/bytes.h"

namespace vong {

// Two lower-case hexadecimal digits a byte.
void append_hex(std::string& out, Bytes bytes);
[[nodiscard]] std::string hex_of(Bytes bytes);
// The same with a separator between bytes: "02:00:5e:10:00:01".
[[nodiscard]] std::string hex_of(Bytes bytes, char separator);

// UTF-8 of one character (RFC 3629). What is none (a surrogate, over 0x10ffff) is written as its bits say: who must not pass it on asks first.
void append_utf8(std::string& out, char32_t c);

}  // namespace vong
