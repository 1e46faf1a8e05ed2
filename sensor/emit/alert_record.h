// Alert records: the rule, what it saw, and the evidence.
#pragma once

#include "sensor/detect/detector.h"
#include "sensor/emit/eve_header.h"
#include "sensor/emit/line_sink.h"

namespace vong::emit {

// `rules`: where the alert's rule comes from, for its references; null: they are left out.
void write_alert(LineSink& sink, const Origin& origin, const Packet& packet,
                 const detect::Alert& alert, const detect::RuleSet* rules);

// A packet that a `tag` rule asked for: event type "packet".
void write_tagged_packet(LineSink& sink, const Origin& origin, const Packet& packet);

// "flow":{...} as alerts carry it.
void write_flow_excerpt(JsonWriter& out, const flow::Flow& flow);

// "packet" in base64 and "packet_info".
void write_packet(JsonWriter& out, const Packet& packet);

}  // namespace vong::emit
