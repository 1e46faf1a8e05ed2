// http-log: a line of text a transaction.
#pragma once

#include "sensor/applayer/core/line_log.h"

namespace vong::http {

extern const applayer::LineLogDef kHttpLineLog;

}  // namespace vong::http
