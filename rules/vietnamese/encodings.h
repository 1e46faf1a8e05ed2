// How a Vietnamese letter is written in each encoding met in government files: the byte strings that mean it.
//
// Sources: Unicode 15; TCVN 5712:1993 (TCVN3 is its set VN3, "ABC" fonts); VNI-Windows; RFC 1456 (VIQR); Windows code page 1258.
// Documents of the ABC and VNI fonts that went through a word processor hold those fonts' codes as characters (Latin-1) in UTF-8 or
// UTF-16: they are spellings of their own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/vietnamese/letters.h"

namespace vong::vietnamese {

enum class Encoding : uint8_t {
  kUtf8, kUtf16Le, kUtf16Be, kWindows1258, kTcvn3, kVni, kViqr, kTcvn3InUtf8, kVniInUtf8, kTcvn3InUtf16, kVniInUtf16, kCount,
};
inline constexpr size_t kEncodings = static_cast<size_t>(Encoding::kCount);
[[nodiscard]] std::string_view name_of(Encoding e);   // "utf-8", "tcvn3" ...
// Bytes of one code unit: 2 for UTF-16, else 1.
[[nodiscard]] constexpr size_t unit_bytes(Encoding e) {
  return e == Encoding::kUtf16Le || e == Encoding::kUtf16Be || e == Encoding::kTcvn3InUtf16 || e == Encoding::kVniInUtf16 ? 2 : 1;
}

enum class CaseRule : uint8_t { kAny, kAsWritten };

// All ways to write the letter in this encoding, none twice, never empty. With kAny both cases. TCVN3 has no upper case for letters with a
// tone (another font shows it): its lower-case codes mean both.
[[nodiscard]] std::vector<std::string> spellings(Encoding e, const Letter& letter, CaseRule rule);
// The same of any other character (ASCII letters in both cases with kAny; a space also as a no-break space); empty where the encoding has none.
[[nodiscard]] std::vector<std::string> spellings(Encoding e, char32_t c, CaseRule rule);

}  // namespace vong::vietnamese
