// MySQL's client/server protocol: recognised by the server's greeting when it is turned on, not
// parsed.
#pragma once

#include "sensor/applayer/core/protocol.h"

namespace vong::mysql {

extern const applayer::ProtocolDef kMysqlProtocol;

}  // namespace vong::mysql
