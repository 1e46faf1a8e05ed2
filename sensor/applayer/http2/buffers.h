// What rules may ask of an HTTP/2 transaction: the buffers of HTTP, and what is HTTP/2's own.
#pragma once

#include <span>

#include "sensor/applayer/core/protocol.h"

namespace vong::http2 {

[[nodiscard]] std::span<const applayer::BufferDef> buffer_defs();
[[nodiscard]] std::span<const applayer::NumberDef> number_defs();
[[nodiscard]] std::span<const applayer::MatcherDef> matcher_defs();

}  // namespace vong::http2
