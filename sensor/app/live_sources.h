// Opens an interface's sources by configuration: AF_PACKET, one a worker with fanout, else libpcap.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/settings.h"
#include "sensor/capture/packet_source.h"

namespace vong::sensor {

// The source of worker `worker` of `workers` on `interface`, which has index `interface_index`. With capture.method: pcap only
// one worker an interface can be served (libpcap has no fanout): an error for the others.
[[nodiscard]] Result<std::unique_ptr<capture::PacketSource>> open_live_source(const std::string& interface, uint16_t interface_index,
                                                                             int worker, int workers, const Settings& settings);

}  // namespace vong::sensor
