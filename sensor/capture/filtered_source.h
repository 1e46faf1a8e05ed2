// Packets of another source that a filter in tcpdump's language lets through: -F and the filter on the command line, for captures. (Live,
// the kernel filters.) What does not pass is not counted: packets are numbered as if the others were not there.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/capture/packet_source.h"

namespace vong::capture {

// An error when `filter` is no filter for Ethernet.
[[nodiscard]] Result<std::unique_ptr<PacketSource>> filter_packets(std::unique_ptr<PacketSource> source, std::string filter);

}  // namespace vong::capture
