// Any interface that libpcap can watch. Slower than af_packet; for other link layers and systems.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/capture/limits.h"
#include "sensor/capture/packet_source.h"

namespace vong::capture {

struct PcapLiveOptions {
  std::string interface;
  std::string bpf_filter;  // empty: everything
  int snap_length = kLiveSnapLengthBytes;
  int buffer_bytes = 64 << 20;  // of the kernel
  int timeout_ms = 100;         // next() gives kTimeout after this
  bool promiscuous = true;
  uint16_t interface_index = 0;  // RawPacket::interface of its packets
};

[[nodiscard]] Result<std::unique_ptr<PacketSource>> open_pcap_live(const PcapLiveOptions& options);

}  // namespace vong::capture
