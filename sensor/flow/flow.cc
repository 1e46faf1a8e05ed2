#include "sensor/flow/flow.h"

#include <utility>

namespace vong::flow {

std::string_view name_of(FlowPhase phase) {
  switch (phase) {
    case FlowPhase::kNew:
      return "new";
    case FlowPhase::kEstablished:
      return "established";
    case FlowPhase::kClosed:
      return "closed";
    case FlowPhase::kBypassed:
      return "bypassed";
  }
  return "new";
}

std::string_view name_of(FlowEndReason reason) {
  switch (reason) {
    case FlowEndReason::kTimeout:
      return "timeout";
    case FlowEndReason::kForced:
      return "forced";
    case FlowEndReason::kShutdown:
      return "shutdown";
    case FlowEndReason::kTcpReuse:
      return "tcp_reuse";
  }
  return "timeout";
}

void swap_direction(Flow& f) {
  std::swap(f.key.src, f.key.dst);
  std::swap(f.key.sport, f.key.dport);
  std::swap(f.counters[0], f.counters[1]);
  std::swap(f.min_ttl[0], f.min_ttl[1]);
  std::swap(f.max_ttl[0], f.max_ttl[1]);
  std::swap(f.to_client_seen, f.to_server_seen);
  f.reversed = !f.reversed;
  for (auto& slot : f.slots) {
    if (slot) slot->on_swap_direction();
  }
}

Direction direction_of(const Flow& f, const Packet& p) {
  const bool has_ports = p.is_tcp || p.is_udp || p.is_sctp;
  if (has_ports && p.sport != p.dport) {
    return p.sport == f.key.sport ? Direction::kToServer : Direction::kToClient;
  }
  return p.src == f.key.src ? Direction::kToServer : Direction::kToClient;
}

}  // namespace vong::flow
