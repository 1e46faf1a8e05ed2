// Frames from one worker to the writer: a ring of bytes, one thread putting, one taking, no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/counter.h"
#include "sensor/evidence/format.h"
#include "sensor/packet/types.h"

namespace vong::evidence {

// What stands before each frame in the queue.
struct QueuedFrame {
  int64_t time_ns = 0;
  uint32_t captured = 0, wire = 0;
  uint16_t link_type = 1, flow_count = 0;
  uint32_t zero = 0;
  uint64_t flows[kMaxFlowsOfFrame] = {};
};

class PacketQueue {
 public:
  explicit PacketQueue(size_t bytes);  // rounded up to a power of two

  // The worker's side. False: no room, nothing taken. A VLAN tag that stands beside the frame is
  // put into it; at most `snap_bytes` are kept.
  [[nodiscard]] bool put(const RawPacket& raw, std::span<const uint64_t> flows,
                         uint32_t snap_bytes);

  // The writer's side. False: empty. `bytes` gets the frame.
  [[nodiscard]] bool take(QueuedFrame& frame, std::vector<uint8_t>& bytes);

 private:
  void write(uint64_t at, const void* from, size_t n);
  void read(uint64_t at, void* to, size_t n) const;

  std::vector<uint8_t> ring_;
  uint64_t mask_;
  alignas(kCacheLine) std::atomic<uint64_t> head_{0};  // put so far
  alignas(kCacheLine) std::atomic<uint64_t> tail_{0};  // taken so far
};

}  // namespace vong::evidence
