// HTTP's sticky buffers: names, spellings, and how each is put together from a transaction.
#pragma once

#include <span>

#include "sensor/applayer/core/protocol.h"

namespace vong::http {

[[nodiscard]] std::span<const applayer::BufferDef> buffer_defs();

}  // namespace vong::http
