// A Linux interface through an AF_PACKET ring (TPACKET_V3): the kernel writes packets into shared
// memory, a block at a time, and no packet costs a system call. Several sources with one cluster id
// share the interface's packets by flow hash, one a worker.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/capture/packet_source.h"

namespace vong::capture {

struct AfPacketOptions {
  std::string interface;
  std::string bpf_filter;  // empty: everything
  bool fanout = false;     // share with the other sources of this cluster id
  uint16_t cluster_id = 99;
  enum class Cluster {
    kFlow,
    kCpu,
    kQueue,
    kRoundRobin,
    kRollover
  } cluster = Cluster::kFlow;       // cluster_flow, cluster_cpu, cluster_qm ...
  bool fragments_with_flow = true;  // of kFlow: shared by the pair of addresses, so that fragments
                                    // stay with their flow (fanout_program.h); else by addresses and
                                    // ports, where the kernel hashes
  uint32_t block_bytes = 1u << 20;  // a power of two times the page size
  uint32_t block_count = 64;        // ring: block_bytes * block_count
  uint32_t block_timeout_ms = 10;   // a block that is not full is handed over after this
  int poll_timeout_ms = 100;        // next() gives kTimeout after this
  bool promiscuous = true;
  bool hardware_timestamps = false;  // the card's, where it gives one; else the kernel's
  bool count_card_drops = true;  // of the sources of one interface one alone counts what its card lost
  uint16_t interface_index = 0;  // RawPacket::interface of its packets
};

[[nodiscard]] Result<std::unique_ptr<PacketSource>> open_af_packet(const AfPacketOptions& options);

}  // namespace vong::capture
