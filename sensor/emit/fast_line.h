// The `fast` output: a line of text an alert, for eyes and for grep.
//
//     01/31/2024-12:00:00.000001  [**] [1:2000001:1] MSG [**] [Classification: NAME] [Priority: 1]
//     {TCP} 10.0.0.1:4000 -> 10.0.0.2:80
#pragma once

#include "sensor/detect/detector.h"
#include "sensor/emit/line_sink.h"
#include "sensor/packet/packet.h"

namespace vong::emit {

// A packet without IP is told by its first bytes instead of addresses.
void write_fast_line(LineSink& sink, const Packet& packet, const detect::Alert& alert);

}  // namespace vong::emit
