// XMPP (RFC 6120), which rules know as jabber: recognised when it is turned on, not parsed.
#pragma once

#include "sensor/applayer/core/protocol.h"

namespace vong::jabber {

extern const applayer::ProtocolDef kJabberProtocol;

}  // namespace vong::jabber
