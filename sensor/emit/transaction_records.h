// Records of the application layer: one per transaction and logger, fileinfo, and anomaly records
// of app-layer events.
#pragma once

#include <functional>

#include "sensor/applayer/core/driver.h"
#include "sensor/emit/eve_header.h"
#include "sensor/emit/line_sink.h"

namespace vong::emit {

// Writes everything of the flow's transactions that is ready and not yet written. `final`: the flow
// is over, so also what is incomplete. `packet` is the one in whose turn this happens (a pseudo
// packet at the flow's end).
void write_transactions(LineSink& sink, const Origin& origin, flow::Flow& flow,
                        const Packet& packet, bool final);

// The driver's own events of the flow (protocol detection), as anomaly records.
void write_driver_events(LineSink& sink, const Origin& origin, flow::Flow& flow,
                         const Packet& packet);

// Frame records: of the packet's direction what is whole and not yet written, with `final` all that is left.
void write_frames(LineSink& sink, const Origin& origin, flow::Flow& flow, const Packet& packet,
                  bool final);

// "frame":{...}
void write_frame(JsonWriter& out, const flow::Flow& flow, const applayer::Frame& frame);

// Writes {"filename":...} of one file with its state; used in fileinfo records and in alerts'
// "files".
void write_file(JsonWriter& out, const applayer::File& file, uint64_t tx_id);

}  // namespace vong::emit
