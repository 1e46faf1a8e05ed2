// Numbers in bytes: what byte_test, byte_jump, byte_extract and byte_math read.
#pragma once

#include <string>

#include "sensor/detect/node.h"
#include "sensor/detect/runtime.h"

namespace vong::detect {

struct FieldValue {
  bool ok = false;       // the bytes were there and were a number
  uint64_t value = 0;    // masked and shifted when the field has a mask
  int64_t end = 0;       // position behind the bytes read
};
// `position`: end of the previous match. `masked` false: the mask is left to the caller.
[[nodiscard]] FieldValue read_number(const NumberField& field, Bytes data, int64_t position, const Runtime& rt, bool masked = true);

// Decodes base64 up to the first character that cannot belong to it (RFC 4648 alphabet; line breaks and spaces are skipped), at
// most kMaxDecodedBytes.
void decode_base64_prefix(Bytes encoded, std::string& out);

// bsize on a buffer that still grows: an upper bound or an exact size is only decided at the end.
[[nodiscard]] bool size_is_final(const rules::NumberTest& test, const BufferInput& in);

}  // namespace vong::detect
