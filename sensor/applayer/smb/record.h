// EVE's smb record.
#pragma once

#include <string_view>

#include "base/json_writer.h"
#include "sensor/applayer/smb/transaction.h"

namespace vong::smb {

// As the output's setting `types` names them: "file", "tree_connect" ... "generic".
[[nodiscard]] std::string_view record_type(const Transaction& tx);

// "smb":{...}
void write_record(const Transaction& tx, JsonWriter& out);

}  // namespace vong::smb
