// IMAP (RFC 9051): recognised, not parsed, as in the reference: rules look at the raw stream.
#pragma once

#include "sensor/applayer/core/protocol.h"

namespace vong::imap {

extern const applayer::ProtocolDef kImapProtocol;

}  // namespace vong::imap
