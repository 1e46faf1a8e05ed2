// A flow: all packets of one five-tuple (and VLAN, and tunnel depth) until it times out. One worker
// owns it from the first packet to its last record; nothing here is thread-safe or needs to be.
//
// Rooms that know more than this one (reassembly, applayer, detect, emit) keep their state of the
// flow in a slot: an object behind FlowState, destroyed with the flow. Who owns which slot is
// written at FlowSlot.
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
  // Client and server were mixed up and have been exchanged: what is kept by direction changes
  // places.
  virtual void on_swap_direction() {}
};

enum class FlowSlot : uint8_t { kStream, kAppLayer, kDetect, kEmit, kCount };

// As EVE's flow.state and flow.reason spell them.
enum class FlowPhase : uint8_t { kNew, kEstablished, kClosed, kBypassed };
enum class FlowEndReason : uint8_t { kTimeout, kForced, kShutdown, kTcpReuse };
[[nodiscard]] std::string_view name_of(
    FlowPhase phase);  // "new", "established", "closed", "bypassed"
[[nodiscard]] std::string_view name_of(
    FlowEndReason reason);  // "timeout", "forced", "shutdown", "tcp_reuse"

struct FlowKey {
  IpAddress src, dst;             // of the packet that opened the flow: src is the client
  uint16_t sport = 0, dport = 0;  // TCP, UDP, SCTP; else 0
  uint8_t protocol = 0;
  uint32_t spi = 0;  // ESP: security parameters index, so its two directions are two flows
  uint8_t tunnel_depth = 0;
  std::array<uint16_t, kMaxVlanTags> vlan_id{};  // tells flows apart where vlan.use-for-tracking is on

  friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

struct DirectionCounters {
  uint64_t packets = 0, bytes = 0;
};

inline constexpr uint32_t kNoFlow = 0xffffffff;

struct Flow {
  FlowKey key;
  uint32_t hash = 0;  // direction-free; of the lookup, seeded
  uint64_t id =
      0;  // EVE's flow_id: unique in a run, the same in every run on the same input; < 2^53
  Timestamp start, last;
  FlowPhase phase = FlowPhase::kNew;
  uint8_t icmp_type = 0, icmp_code = 0;  // of the first packet
  uint8_t icmp_response_type = 0;        // what answers it (echo reply for echo); 0: nothing does
  bool to_client_seen = false;           // there was a packet in this direction
  bool to_server_seen = false;
  bool midstream = false;  // TCP that was not seen from its SYN
  bool reversed = false;   // endpoints were swapped once the responder was known
  bool emergency = false;  // made while the table was in emergency mode
  uint8_t min_ttl[kDirections] = {255, 255}, max_ttl[kDirections] = {0, 0};
  bool alerted = false;  // an alert was raised: EVE's flow.alerted
  bool pass_by_policy = false;  // an exception policy: no rule looks at its packets
  uint8_t exceptions = 0;       // a bit per ExceptionTarget that was met
  uint16_t interface = 0;
  uint32_t tenant = 0;  // multi-detect: whose rules look at it; 0: nobody's (set by detection)
  DirectionCounters counters[kDirections];
  uint64_t wrong_thread_packets = 0;
  uint64_t first_packet_number = 0;  // pcap_cnt

  std::array<std::unique_ptr<FlowState>, static_cast<size_t>(FlowSlot::kCount)> slots;

  [[nodiscard]] FlowState* slot(FlowSlot s) const { return slots[static_cast<size_t>(s)].get(); }
  void set_slot(FlowSlot s, std::unique_ptr<FlowState> state) {
    slots[static_cast<size_t>(s)] = std::move(state);
  }

  // Of the flow table alone: its place there and in the timer wheel.
  struct Links {
    uint32_t self = kNoFlow, next = kNoFlow, previous = kNoFlow, wheel_slot = kNoFlow;
    FlowPhase scheduled_phase = FlowPhase::kNew;
    uint8_t timeout_class = 0;
  } links;
};

// Exchanges client and server: endpoints, counters, TTLs, and through FlowState::on_swap_direction
// what the rooms keep. A packet in work keeps its own `direction`: who calls
// this turns that too.
void swap_direction(Flow& f);

// Direction of a packet in its flow. By ports when they tell the ends apart, by addresses
// otherwise, as both of a flow's keys match.
[[nodiscard]] Direction direction_of(const Flow& f, const Packet& p);

}  // namespace vong::flow
