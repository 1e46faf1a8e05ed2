// IRC (RFC 1459, 2812): recognised when it is turned on, not parsed.
#pragma once

#include "sensor/applayer/core/protocol.h"

namespace vong::irc {

extern const applayer::ProtocolDef kIrcProtocol;

}  // namespace vong::irc
