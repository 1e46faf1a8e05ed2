// The Huffman code of header strings (RFC 7541 section 5.2, appendix B). The code is canonical:
// codes of a length follow each other in the order of their symbols, shorter ones first, so the
// lengths are all that is kept.
#pragma once

#include <string>

#include "base/bytes.h"

namespace vong::http2 {

// Appends the decoded bytes. False: a code that does not exist, the end symbol inside, or padding
// that is not the beginning of it; what was decoded before stays. An output byte takes at least
// five bits, so the result is never longer than 8/5 of `coded`.
[[nodiscard]] bool huffman_decode(Bytes coded, std::string& out);

}  // namespace vong::http2
