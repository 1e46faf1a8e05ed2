// The packet ring of a run: opened by `evidence.*`, a recorder for each worker, its metrics; and
// the command that reads it back.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/settings.h"
#include "sensor/evidence/packet_ring.h"
#include "telemetry/registry.h"

namespace vong::sensor {

// Null when evidence.dir is not set. Opened before files are restricted, started before the first
// packet, stopped after the last.
[[nodiscard]] Result<std::unique_ptr<evidence::PacketRing>> open_evidence_ring(
    const Settings& settings, bool offline);
void add_evidence_metrics(telemetry::Registry& registry, const evidence::PacketRing& ring);

// vong-sensor extract --flow ID | --community-id CID [--from T] [--to T] [--dir DIR | -c FILE] [-o
// FILE.pcap]. The exit status.
[[nodiscard]] int run_extract(int argc, char** argv);

}  // namespace vong::sensor
