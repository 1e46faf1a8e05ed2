// What an exception policy does to a flow and to the packet that met it: the one place, whoever asks (TCP, the flow table, parsers).
#pragma once

#include "sensor/flow/flow.h"
#include "sensor/packet/exception_policy.h"
#include "sensor/packet/packet.h"

namespace vong::flow {

// Notes on the flow that `target` was met, counts, and applies. Worker's thread.
void apply_exception(Flow& f, Packet& p, ExceptionTarget target, ExceptionPolicy policy, ExceptionCounters& counters);

}  // namespace vong::flow
