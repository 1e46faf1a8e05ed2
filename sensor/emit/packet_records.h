// Records about single packets: decoder and stream anomalies, ARP.
#pragma once

#include "sensor/emit/eve_header.h"
#include "sensor/emit/line_sink.h"

namespace vong::emit {

void write_packet_anomalies(LineSink& sink, const Origin& origin, const Packet& packet);
void write_arp(LineSink& sink, const Origin& origin, const Packet& packet);

// A packet from which rules captured something: event type "metadata".
void write_metadata_record(LineSink& sink, const Origin& origin, const Packet& packet);

}  // namespace vong::emit
