// A flow: all packets of one five-tuple (and VLAN, and tunnel depth) until it times out. One worker owns it from the first packet
// to its last record; nothing here is thread-safe or needs to be.
//
// Rooms that know more than this one (reassembly, applayer, detect, emit) keep their state of the flow in a slot: an object behind
// FlowState, destroyed with the flow. Who owns which slot is written at FlowSlot.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/ip_address.h"
#include "base/timestamp.h"
#include "sensor/packet/packet.h"
#include "sensor/packet/types.h"

namespace vong::flow {

struct FlowState {
  virtual ~FlowState() = default;
};

enum class FlowSlot : uint8_t { kStream, kAppLayer, kDetect, kEmit, kCount };

// As EVE's flow.state and flow.reason spell them.
enum class FlowPhase : uint8_t { kNew, kEstablished, kClosed, kBypassed };
enum class FlowEndReason : uint8_t { kTimeout, kForced, kShutdown, kTcpReuse };

struct FlowKey {
  IpAddress src, dst;          // of the packet that opened the flow: src is the client
  uint16_t sport = 0, dport = 0;
  uint8_t protocol = 0;
  uint8_t tunnel_depth = 0;
  std::array<uint16_t, kMaxVlanTags> vlan_id{};
};

struct DirectionCounters {
  uint64_t packets = 0, bytes = 0;
};

struct Flow {
  uint64_t id = 0;             // EVE's flow_id: unique in a run, the same in every run on the same input; < 2^53
  FlowKey key;
  uint32_t hash = 0;           // direction-free
  uint8_t icmp_type = 0, icmp_code = 0;          // of the first packet
  FlowPhase phase = FlowPhase::kNew;
  bool to_client_seen = false;                   // there was a packet in this direction
  bool to_server_seen = false;
  bool midstream = false;                        // TCP that was not seen from its SYN
  bool reversed = false;                         // endpoints were swapped once the responder was known
  uint8_t min_ttl[kDirections] = {255, 255}, max_ttl[kDirections] = {0, 0};
  bool alerted = false;                          // an alert was raised: EVE's flow.alerted
  uint16_t interface = 0;
  Timestamp start, last;
  DirectionCounters counters[kDirections];
  uint64_t wrong_thread_packets = 0;
  uint64_t first_packet_number = 0;              // pcap_cnt

  std::array<std::unique_ptr<FlowState>, static_cast<size_t>(FlowSlot::kCount)> slots;

  [[nodiscard]] FlowState* slot(FlowSlot s) const { return slots[static_cast<size_t>(s)].get(); }
  void set_slot(FlowSlot s, std::unique_ptr<FlowState> state) { slots[static_cast<size_t>(s)] = std::move(state); }
};

}  // namespace vong::flow
