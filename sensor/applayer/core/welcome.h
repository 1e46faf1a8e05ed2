// The welcome "220 ..." that SMTP and FTP have in common (RFC 5321 4.2, RFC 959 4.2).
#pragma once

#include "base/bytes.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::applayer {

// For ProbeDef::when_expected: what the client speaks tells whose welcome it is, so one line of it
// is enough.
[[nodiscard]] ProbeVerdict probe_welcome(Direction d, Bytes data);

}  // namespace vong::applayer
