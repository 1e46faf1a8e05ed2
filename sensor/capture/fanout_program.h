// Which worker of a cluster gets a frame, as a classic BPF program that the kernel runs (packet(7),
// PACKET_FANOUT_CBPF).
//
// By the pair of addresses, whatever their order: both directions of a flow, and all fragments of
// its datagrams, which have no ports, reach one worker. The kernel's own way to keep fragments with
// their flow (PACKET_FANOUT_FLAG_DEFRAG) swallows those that never become whole, uncounted, and
// shows the others as it reads them: a sensor must see both.
//
// Looked through: one VLAN tag, up to three MPLS labels, PPPoE. Frames without an IP header go to
// the first worker.
#pragma once

#include <vector>

#include "sensor/capture/bpf_filter.h"

namespace vong::capture {

// What it returns is taken modulo the number of workers.
[[nodiscard]] std::vector<BpfInstruction> fanout_by_addresses();

}  // namespace vong::capture
