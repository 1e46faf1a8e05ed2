// The record of a flow that has ended, and netflow's two (one a direction).
#pragma once

#include "sensor/emit/eve_header.h"
#include "sensor/emit/line_sink.h"

namespace vong::emit {

void write_flow(LineSink& sink, const Origin& origin, const flow::Flow& flow,
                flow::FlowEndReason reason, Timestamp now);
void write_netflow(LineSink& sink, const Origin& origin, const flow::Flow& flow, Timestamp now);

}  // namespace vong::emit
