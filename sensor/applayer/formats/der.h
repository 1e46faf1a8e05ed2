// DER elements (X.690), as much as messages of Kerberos and SPNEGO need. Definite lengths only.
#pragma once

#include <cstdint>
#include <optional>

#include "base/byte_reader.h"
#include "base/bytes.h"

namespace vong::formats {

enum class DerClass : uint8_t { kUniversal, kApplication, kContext, kPrivate };
enum DerTag : uint32_t {
  kDerInteger = 2,
  kDerOctetString = 4,
  kDerOid = 6,
  kDerSequence = 16,
};

struct DerElement {
  DerClass tag_class = DerClass::kUniversal;
  bool constructed = false;
  uint32_t tag = 0;
  Bytes content;  // points into what was read

  [[nodiscard]] bool is(DerClass c, uint32_t t) const { return tag_class == c && tag == t; }
  [[nodiscard]] bool is_universal(uint32_t t) const { return is(DerClass::kUniversal, t); }
};

// The next element; nothing (and a reader that is not ok) when it is cut off or no DER.
[[nodiscard]] std::optional<DerElement> read_der(ByteReader& in);
// The first element of `data`.
[[nodiscard]] std::optional<DerElement> first_der(Bytes data);
// The first element when it is a SEQUENCE.
[[nodiscard]] std::optional<DerElement> der_sequence(Bytes data);
// A signed INTEGER of at most eight bytes; nothing else.
[[nodiscard]] std::optional<int64_t> der_integer(Bytes data);

}  // namespace vong::formats
